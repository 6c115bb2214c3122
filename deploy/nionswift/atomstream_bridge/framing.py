"""A frame as it is sent, from what Nion Swift delivered."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streamer.frame import Completeness, Frame
from streamer.nion_item import NionItem, read_item
from streamer.units import are_square

from .runs import Place
from .update import Update


def own_rows(data: NDArray[np.generic], place: Place) -> NDArray[np.generic]:
    """Copy of the rows that belong to the frame; zeros stand for the others.

    Those others are the ones of the frame before. Nion Swift writes the next frame into
    the same memory, so that this has to be done while the event lasts.
    """
    complete = place.completeness is Completeness.COMPLETE
    # numpy's own copy lets other threads run meanwhile; where one wants to, it may be
    # 5 ms until it lets go again. Bytes are copied in a tenth of that, and given back.
    pixels = (data if complete else data[: place.valid_rows]).tobytes()
    whole = pixels.ljust(data.nbytes, b"\0")
    return np.frombuffer(whole, data.dtype).reshape(data.shape)


def frame_of(place: Place, update: Update, image: NDArray[np.generic]) -> Frame:
    """The frame at its place.

    Raises
    ------
    AtomstreamError
        It cannot be one: pixels that are no real numbers, or not two dimensions.
    """
    item = read_item(dict(update.record), update.shape, update.channel)
    made = item.acquisition(1, _pixel_size_nm(item))(0)
    lasted = place.valid_rows / update.shape[0]
    made = replace(
        made,
        start_ns=_start_ns(made.start_ns, made.end_ns, lasted),
        completeness=place.completeness,
        valid_rows=place.valid_rows,
    )
    return made.frame(place.stream, place.seq, image)


def _pixel_size_nm(item: NionItem) -> float | None:
    """Side of a pixel; None where it is unknown or pixels are not square."""
    if item.sides_nm is None or not are_square(item.sides_nm):
        return None
    return sum(item.sides_nm) / 2


def _start_ns(start_ns: int | None, end_ns: int | None, lasted: float) -> int | None:
    """When scanning began, of a frame of which a part `lasted` was scanned."""
    if start_ns is None or end_ns is None:
        return None
    return end_ns - round((end_ns - start_ns) * lasted)
