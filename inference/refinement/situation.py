"""What is known of a frame while it is fitted, and where the fit starts."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.refinement.canvas import Canvas, canvas_of
from inference.refinement.contamination import darkest_grey, usable_pixels
from inference.refinement.image_model import AtomState, Optics
from inference.refinement.noise import Noise
from inference.refinement.probe import Probe

SILICON_CONTRAST = 3.5
"""Of Si relative to C, where the fit starts."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What does not change while one frame is fitted."""

    canvas: Canvas
    usable: NDArray[np.float32]
    """(rows, cols): 1 where the frame tells something; 0: margin, contamination."""
    darkest: float
    """Grey value of vacuum, or of the middle of the hexagons where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """Everything that is fitted."""

    atoms: AtomState
    optics: Optics
    noise: Noise
    carbon: float
    """Amplitude of a C atom."""
    clouds: NDArray[np.float32]
    """(rows, cols): background that varies slowly."""


def view_of(
    image: NDArray[np.float32],
    pixel_size_nm: float,
    target_nm: float,
    rowcol: NDArray[np.floating],
) -> View:
    """A frame on pixels of about `target_nm`, and what of it can be used.

    `rowcol` are the atoms that are seen in it, (N, 2) in its pixels.
    """
    canvas = canvas_of(image, pixel_size_nm, target_nm)
    darkest = darkest_grey(canvas)
    return View(canvas, usable_pixels(canvas, darkest, rowcol), darkest)


def finer_view(
    image: NDArray[np.float32], pixel_size_nm: float, target_nm: float, coarse: View
) -> View:
    """The frame on finer pixels, of which the same part can be used."""
    canvas = canvas_of(image, pixel_size_nm, target_nm)
    sides = zip(canvas.shape, coarse.canvas.shape, strict=True)
    row, col = (
        coarse.canvas.from_frame(canvas.to_frame(np.arange(float(side))))
        .round()
        .astype(np.intp)
        .clip(0, limit - 1)
        for side, limit in sides
    )
    usable = canvas.inside * coarse.usable[np.ix_(row, col)]
    return View(canvas, usable, coarse.darkest)


def first_guess(
    view: View,
    rowcol: NDArray[np.floating],
    silicon: NDArray[np.bool_],
    probe: Probe,
) -> Situation:
    """All brightness above the darkest parts, shared out among the atoms.

    Parameters
    ----------
    rowcol
        (N, 2): in pixels of the frame.
    """
    canvas = view.canvas
    grey = canvas.image[view.usable > 0]
    shares = len(rowcol) + (SILICON_CONTRAST - 1) * np.count_nonzero(silicon)
    carbon = float((grey - view.darkest).sum(dtype=np.float64)) / shares
    atoms = AtomState(
        rowcol=canvas.from_frame(rowcol),
        amplitude=carbon * np.where(silicon, SILICON_CONTRAST, 1.0),
        silicon=silicon,
    )
    optics = Optics.of(probe, canvas.pixel_size_nm, view.darkest)
    noise = Noise(float(grey.var()), 0.0, 0.0)
    return Situation(atoms, optics, noise, carbon, np.zeros_like(canvas.image))


def on_finer(now: Situation, coarse: Canvas, fine: Canvas) -> Situation:
    """The same on another canvas of the same frame; the clouds are left behind."""
    ratio = coarse.binning / fine.binning
    # A pixel blurs by its own width, whose variance is that of a box.
    box = (ratio**2 - 1) / 12
    row, col = (
        math.sqrt(max((sigma * ratio) ** 2 - box, 0.25)) for sigma in now.optics.sigma
    )
    tail_sigma = now.optics.tail_sigma * ratio
    return Situation(
        atoms=AtomState(
            fine.from_frame(coarse.to_frame(now.atoms.rowcol)),
            now.atoms.amplitude * ratio**2,
            now.atoms.silicon,
        ),
        optics=replace(now.optics, sigma=(row, col), tail_sigma=tail_sigma),
        noise=now.noise,
        carbon=now.carbon * ratio**2,
        clouds=np.zeros_like(fine.image),
    )
