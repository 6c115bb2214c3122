"""What OME-XML says of the images of a TIFF file."""

import tifffile

from streamer.units import pixel_side_nm

DEFAULT_UNIT = "um"
"""Of physical sizes, by the OME schema."""
MAX_NAME = 100


def read_ome(xml: str) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Pair: (height, width) of a pixel in nm, None if unknown; names of the channels.

    Raises
    ------
    ValueError, LookupError, TypeError
        It is not OME-XML.
    """
    image = tifffile.xml2dict(xml)["OME"]["Image"]
    first = image[0] if isinstance(image, list) else image
    pixels = first["Pixels"]
    height, width = (_side_nm(pixels, axis) for axis in "YX")
    sides_nm = (height, width) if height and width else None
    return sides_nm, _channel_names(pixels.get("Channel"))


def _side_nm(pixels: dict[str, object], axis: str) -> float | None:
    size = pixels.get(f"PhysicalSize{axis}")
    unit = str(pixels.get(f"PhysicalSize{axis}Unit", DEFAULT_UNIT))
    return pixel_side_nm(size, unit) if isinstance(size, int | float) else None


def _channel_names(channels: object) -> tuple[str, ...]:
    given = channels if isinstance(channels, list) else [channels]
    names = [channel.get("Name") for channel in given if isinstance(channel, dict)]
    return () if None in names else tuple(str(name)[:MAX_NAME] for name in names)
