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
FULL = 0.9
"""Of the atoms of the fullest rows: as many make others as good."""
FEWEST_PIXELS = 400
"""That are not hidden: fewer tell nothing."""


def excerpt(view: View, now: Situation, pixels: int) -> tuple[View, Situation]:
    """Rows that look like the frame, about so many pixels, and the atoms around there.

    Of the rows with most atoms that can be seen, those as bright as the whole: in a
    frame that is brighter on one side the probe and the brightness of a side would be
    those of none. Around them the sheet goes on, and beyond that is the canvas's
    margin, but nothing of either counts. A frame that is not much larger, or is hidden
    there, is returned as it is.
    """
    frame_rows, cols = (side - 2 * MARGIN_PX for side in view.canvas.shape)
    rows = COARSE * math.ceil(pixels / cols / COARSE)
    if rows > WORTH_IT * frame_rows:
        return view, now
    first = MARGIN_PX + _likest(view, now, rows)
    last = first + rows
    if np.count_nonzero(view.usable[first:last]) < FEWEST_PIXELS:
        return view, now
    around = AROUND_PX + MARGIN_PX
    part = slice(max(0, first - around), min(view.canvas.shape[0], last + around))
    return _rows_of(view, part, slice(first, last)), _atoms_in(now, part)


def _likest(view: View, now: Situation, rows: int) -> int:
    """First of `rows` rows of the frame, a multiple of `COARSE`."""
    inside = (slice(MARGIN_PX, -MARGIN_PX),) * 2
    usable = view.usable[inside]
    grey = np.einsum("rc,rc->r", usable, view.canvas.image[inside])
    shown = usable.sum(axis=1)
    row, col = np.rint(now.atoms.rowcol - MARGIN_PX).astype(np.intp).T
    row, col = row.clip(0, len(usable) - 1), col.clip(0, usable.shape[1] - 1)
    atoms = np.bincount(row, usable[row, col], minlength=len(usable))
    held = _sums(atoms, rows)
    brightness = _sums(grey, rows) / np.maximum(_sums(shown, rows), 1)
    unlike = np.abs(brightness - grey.sum() / max(shown.sum(), 1))
    unlike[held < FULL * held.max()] = np.inf
    return COARSE * int(np.argmin(unlike))


def _sums(values: NDArray[np.floating], rows: int) -> NDArray[np.float64]:
    """Of each `rows` neighbouring values, beginning at multiples of `COARSE`."""
    before = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    return np.asarray((before[rows:] - before[:-rows])[::COARSE])


def _rows_of(view: View, part: slice, counted: slice) -> View:
    canvas, usable = view.canvas, np.zeros_like(view.usable[part])
    rows = slice(counted.start - part.start, counted.stop - part.start)
    usable[rows] = view.usable[counted]
    # No atom is known in the margin, so the sheet has to end there.
    inside = canvas.inside[part].copy()
    inside[:MARGIN_PX] = inside[-MARGIN_PX:] = 0
    cut = Canvas(canvas.image[part], inside, canvas.binning, canvas.pixel_size_nm)
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


def with_shared(now: Situation, before: Situation, after: Situation) -> Situation:
    """All atoms, with what an excerpt of them has shown of what they share.

    Parameters
    ----------
    before, after
        The excerpt as it was cut out, and fitted: by as much as its own C atoms have
        become brighter, all have.
    """
    scale = after.carbon / before.carbon
    atoms = replace(now.atoms, amplitude=now.atoms.amplitude * scale)
    return replace(
        now,
        atoms=atoms,
        optics=after.optics,
        noise=after.noise,
        carbon=now.carbon * scale,
    )
