"""Frames to measure with: graphene with Si, at the paper's pixel size and dose."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.frame import Frame, Stream
from streamer.simulator.microscope import scaled_microscope
from streamer.simulator.movie import CHANNEL, SOURCE, Movie, simulate
from streamer.simulator.truth import Truth

PIXEL_SIZE_NM = 16 / 1024
"""1024² pixels cover 16 nm and show some 9,500 atoms."""
LARGEST_SIMULATED_PX = 2048
"""Larger frames are smaller ones mirrored: as many atoms a pixel, in less time."""
SEED = 1


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One frame to analyse."""

    size_px: int
    """Rows and columns."""
    image: NDArray[np.float32]
    atoms: int
    """That are really there and not under contamination."""
    mirrored: bool
    """Whether only a quarter was simulated, and then mirrored twice."""

    def frame(self) -> Frame:
        """As it would come from a microscope."""
        stream = Stream("bench", SOURCE, CHANNEL)
        return Frame(stream, 0, self.image, pixel_size_nm=PIXEL_SIZE_NM)


def draw_scene(size_px: int) -> Scene:
    """The first frame of a simulated movie; the same each time."""
    if size_px <= LARGEST_SIMULATED_PX:
        image, truth = _simulated(size_px)
        return Scene(size_px, image, int((~truth.hidden).sum()), mirrored=False)
    half = -(-size_px // 2)
    image, truth = _simulated(half)
    doubled = np.pad(image, (0, half), mode="symmetric")[:size_px, :size_px]
    atoms = _mirrored_count(truth, half, size_px)
    return Scene(size_px, np.ascontiguousarray(doubled), atoms, mirrored=True)


def keep_scene(scene: Scene, folder: Path) -> Path:
    """The frame as a file, for processes of their own; the path to it."""
    file = folder / f"{scene.size_px}.npy"
    if not file.exists():
        np.save(file, scene.image)
    return file


def _simulated(size_px: int) -> tuple[NDArray[np.float32], Truth]:
    field_nm = size_px * PIXEL_SIZE_NM
    microscope = scaled_microscope(size_px, field_nm, dose=1.0)
    # The paper's contamination, or less where that would cover a small frame.
    blob_radius_nm = min(1.6, field_nm / 10)
    movie = Movie(frames=1, microscope=microscope, blob_radius_nm=blob_radius_nm)
    exposure = next(islice(simulate(movie, SEED), 1))
    return exposure.image, exposure.truth


def _mirrored_count(truth: Truth, half: int, size_px: int) -> int:
    """Atoms of the simulated quarter and of its three mirror images."""
    seen = ~truth.hidden
    row, col = truth.row_px[seen], truth.col_px[seen]
    # The image of row r lies in row 2 · half - 1 - r, which an odd size may cut off.
    rows = 1 + (2 * half - 1 - row < size_px).astype(int)
    cols = 1 + (2 * half - 1 - col < size_px).astype(int)
    return int((rows * cols).sum())
