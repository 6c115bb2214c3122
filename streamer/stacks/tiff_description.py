"""What a TIFF file says of its images, in the words of whoever wrote it."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import tifffile

from streamer.errors import StackError
from streamer.nion_item import read_item
from streamer.session.acquisition import Acquisition
from streamer.session.description import Description, find
from streamer.stacks.tiff_ome import read_ome
from streamer.units import pixel_side_nm

NION_KEY = "nion.1"
UNITS = {tifffile.RESUNIT.INCH: "inch", tifffile.RESUNIT.CENTIMETER: "cm"}
PLAUSIBLE_NM = (1e-4, 10.0)
"""Pixel sizes of an atom-resolving microscope; outside it is a printer's resolution."""

type Acquisitions = Callable[[float | None], Callable[[int], Acquisition]]


@dataclass(frozen=True, slots=True)
class TiffDescription:
    """Channels, calibration and origin of the images of a TIFF file."""

    acquisitions: Acquisitions
    """From the pixel size that is to hold: how each frame was made."""
    sides_nm: tuple[float, float] | None = None
    """(height, width) of a pixel; None if unknown."""
    channels: tuple[str, ...] = ()
    """Names; none if it does not say."""


def describe(
    file: tifffile.TiffFile, shape: tuple[int, int, int], name: str
) -> TiffDescription:
    """Description of the (frames, rows, cols) images of a file.

    Raises
    ------
    StackError, ValueError, LookupError, TypeError
        What is said makes no sense.
    """
    ours = find(file.pages.first.description)
    if ours is not None:
        return _ours(ours, shape, name)
    imagej = file.imagej_metadata or {}
    if NION_KEY in imagej:
        return _nion(str(imagej[NION_KEY]), shape, name)
    if file.ome_metadata:
        return TiffDescription(_alike(Acquisition()), *read_ome(file.ome_metadata))
    if "unit" in imagej:
        return _imagej(file, imagej)
    return _plain(file)


def _ours(ours: Description, shape: tuple[int, int, int], name: str) -> TiffDescription:
    if len(ours.acquisitions) != shape[0]:
        raise StackError(
            f"{name} describes {len(ours.acquisitions)} frames and holds {shape[0]}"
        )
    side_nm = ours.acquisitions[0].pixel_size_nm
    return TiffDescription(
        # Each frame has a calibration of its own.
        acquisitions=lambda _pixel_size_nm: ours.acquisitions.__getitem__,
        sides_nm=None if side_nm is None else (side_nm, side_nm),
        channels=(ours.stream.channel,),
    )


def _nion(text: str, shape: tuple[int, int, int], name: str) -> TiffDescription:
    item = read_item(json.loads(text), shape, name)
    return TiffDescription(
        lambda pixel_size_nm: item.acquisition(shape[0], pixel_size_nm),
        item.sides_nm,
        item.channels,
    )


def _imagej(file: tifffile.TiffFile, words: dict[str, object]) -> TiffDescription:
    unit = str(words["unit"])
    sides_nm = _sides_nm(file, unit)
    if sides_nm is None:
        return TiffDescription(_alike(Acquisition()))
    # Origins are in pixels, counted from the corner of the first.
    x, y = (_real(words.get(key)) for key in ("xorigin", "yorigin"))
    origin_nm = ((0.5 - x) * sides_nm[1], (0.5 - y) * sides_nm[0])
    known = Acquisition(origin_nm=origin_nm) if x or y else Acquisition()
    return TiffDescription(_alike(known), sides_nm)


def _plain(file: tifffile.TiffFile) -> TiffDescription:
    unit = UNITS.get(tifffile.RESUNIT(file.pages.first.resolutionunit), "")
    sides_nm = _sides_nm(file, unit)
    low, high = PLAUSIBLE_NM
    plausible = sides_nm is not None and low < min(sides_nm) <= max(sides_nm) < high
    return TiffDescription(_alike(Acquisition()), sides_nm if plausible else None)


def _alike(acquisition: Acquisition) -> Acquisitions:
    """Every frame made in the same way."""
    return lambda pixel_size_nm: (
        lambda _index: replace(acquisition, pixel_size_nm=pixel_size_nm)
    )


def _sides_nm(file: tifffile.TiffFile, unit: str) -> tuple[float, float] | None:
    """(height, width) of a pixel from the resolution tags, in pixels per unit."""
    tags = file.pages.first.tags
    if "XResolution" not in tags or "YResolution" not in tags:
        return None
    fractions = [tags[name].value for name in ("YResolution", "XResolution")]
    if any(0 in fraction for fraction in fractions):
        return None
    height, width = (pixel_side_nm(per / pixels, unit) for pixels, per in fractions)
    return (height, width) if height and width else None


def _real(value: object) -> float:
    """A number of ImageJ's; 0, its own default, for anything else."""
    number = float(value) if isinstance(value, int | float) else 0.0
    return number if math.isfinite(number) else 0.0
