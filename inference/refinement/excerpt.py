"""Some rows of a frame that stand for all of it, where a few numbers are asked for."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inference.refinement.canvas import COARSE, MARGIN_PX, Canvas
from inference.refinement.image_model import AtomState
from inference.refinement.situation import Situation, View

AROUND_PX = 16
"""Beyond the rows, where atoms still are that shine into them."""
WORTH_IT = 0.7
"""Of the frame: an excerpt longer than that saves nothing."""


def excerpt(view: View, now: Situation, pixels: int) -> tuple[View, Situation]:
    """The rows with most atoms, about so many pixels, and the atoms that shine there.

    Around them the sheet goes on, and beyond that is the canvas's margin, but nothing
    of either counts. A frame that is not much larger is returned as it is.
    """
    frame_rows, cols = (side - 2 * MARGIN_PX for side in view.canvas.shape)
    rows = COARSE * math.ceil(pixels / cols / COARSE)
    if rows > WORTH_IT * frame_rows:
        return view, now
    first = MARGIN_PX + _fullest(now.atoms.rowcol[:, 0] - MARGIN_PX, rows, frame_rows)
    last = first + rows
    around = AROUND_PX + MARGIN_PX
    part = slice(max(0, first - around), min(view.canvas.shape[0], last + around))
    return _rows_of(view, part, slice(first, last)), _atoms_in(now, part)


def _fullest(row: NDArray[np.float64], rows: int, frame_rows: int) -> int:
    """First of `rows` rows that hold most atoms, a multiple of `COARSE`."""
    inside = np.rint(row).astype(np.intp).clip(0, frame_rows - 1)
    before = np.concatenate([[0], np.cumsum(np.bincount(inside, minlength=frame_rows))])
    held = before[rows:] - before[:-rows]
    return COARSE * int(np.argmax(held[::COARSE]))


def _rows_of(view: View, part: slice, counted: slice) -> View:
    canvas, usable = view.canvas, np.zeros_like(view.usable[part])
    inside = slice(counted.start - part.start, counted.stop - part.start)
    usable[inside] = view.usable[counted]
    cut = Canvas(
        canvas.image[part], canvas.inside[part], canvas.binning, canvas.pixel_size_nm
    )
    return View(cut, usable, view.darkest)


def _atoms_in(now: Situation, part: slice) -> Situation:
    """Those whose windows, however wide, are in the part as they are in a canvas."""
    row = now.atoms.rowcol[:, 0] - part.start
    near = (row >= MARGIN_PX - 1) & (row <= part.stop - part.start - MARGIN_PX)
    atoms = AtomState(
        now.atoms.rowcol[near] - [part.start, 0],
        now.atoms.amplitude[near],
        now.atoms.silicon[near],
    )
    return replace(now, atoms=atoms, clouds=now.clouds[part])


def with_shared(now: Situation, part: Situation) -> Situation:
    """All atoms, with what an excerpt of them has shown of what they share."""
    scale = part.carbon / now.carbon
    atoms = replace(now.atoms, amplitude=now.atoms.amplitude * scale)
    return replace(
        now, atoms=atoms, optics=part.optics, noise=part.noise, carbon=part.carbon
    )
