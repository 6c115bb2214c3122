"""Many small images as one picture."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamer.errors import SettingsError
from streamer.place import check_place

GAP_PX = 2
ENLARGED = 3
ENDINGS = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg")


def write_contact_sheet(images: NDArray[np.float32], path: Path) -> None:
    """Write (rows, cols, height, width) images as a grey picture, on one scale.

    Raises
    ------
    SettingsError
        The picture cannot be written there.
    """
    low, high = float(images.min()), float(images.max())
    scaled = 255 * (images - low) / max(high - low, 1e-9)
    grey = scaled.astype(np.uint8)
    grey = grey.repeat(ENLARGED, axis=2).repeat(ENLARGED, axis=3)
    gaps = ((0, 0), (0, 0), (0, GAP_PX), (0, GAP_PX))
    tiles = np.pad(grey, gaps, constant_values=255)
    rows, cols, height, width = tiles.shape
    sheet = tiles.transpose(0, 2, 1, 3).reshape(rows * height, cols * width)
    try:
        Image.fromarray(sheet[:-GAP_PX, :-GAP_PX]).save(path)
    except OSError as error:
        reason = error.strerror or "no such pictures can be made here"
        raise SettingsError(f"{path} cannot be written: {reason}") from error


def check_picture(path: Path) -> None:
    """Refuse, before anything is drawn, a place where no picture can be.

    Raises
    ------
    SettingsError
        It is a folder, lies in none, or its ending is not that of a picture.
    """
    check_place(path, "latents.png")
    if path.suffix.lower() not in ENDINGS:
        raise SettingsError(f"{path.name}: a picture is drawn to {', '.join(ENDINGS)}")
