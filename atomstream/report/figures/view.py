"""One frame as figures show it: image, probabilities, atoms, all on one scale."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.colors import Colormap, Normalize
from numpy.typing import NDArray

from atomstream.report.figures import style

DISC_NM = (0.142, 0.24)
"""Diameters of C and Si in maps: neighbours touch, Si is larger."""
WIDE_NM = 8.0
"""In a wider field, where gaps would only make maps paler, discs are larger."""
WIDER = 1.4
RING_NM = 0.5
DOT_NM = (0.06, 0.14)
"""The same on the image, which shines through."""
GREY_PERCENT = (0.5, 99.5)
"""Of the pixels: black and white, as on the page."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One frame. Positions count from the middle of its first pixel, y downward."""

    title: str
    """Which frame, when, after what dose."""
    image: NDArray[np.generic]
    """(rows, cols) that were analysed."""
    pixel_nm: float
    x_nm: NDArray[np.float64]
    """(N,) of the atoms."""
    y_nm: NDArray[np.float64]
    species: NDArray[np.uint8]
    """(N,): 0 for C, 1 for Si."""
    carbon: NDArray[np.float32] | None = None
    """Probabilities over the same area; None where they cannot be had."""
    silicon: NDArray[np.float32] | None = None
    unit: str = "nm"
    """"px" for a frame of unknown pixel size, whose lengths are all in pixels."""

    @property
    def size_nm(self) -> tuple[float, float]:
        """Height, width."""
        rows, cols = self.image.shape
        return rows * self.pixel_nm, cols * self.pixel_nm

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """left, right, bottom, top in nm, of the pixels' edges."""
        height, width = self.size_nm
        half = self.pixel_nm / 2
        return -half, width - half, height - half, -half


@dataclass(frozen=True, slots=True)
class Box:
    """A square part of a frame."""

    left_nm: float
    top_nm: float
    side_nm: float


def draw_image(axes: Axes, view: View) -> None:
    """The frame in grey."""
    pixels = view.image.astype(np.float32)
    finite = pixels[np.isfinite(pixels)]
    low, high = np.percentile(finite, GREY_PERCENT) if finite.size else (0, 1)
    axes.imshow(pixels, cmap="gray", vmin=low, vmax=high, extent=view.extent)


def draw_probabilities(axes: Axes, view: View) -> None:
    """C and Si as light of two colours; words where there is none."""
    if view.carbon is None or view.silicon is None:
        say_nothing(axes, view, "no probabilities: see the remarks")
        return
    axes.imshow(style.glow(view.carbon, view.silicon), extent=view.extent)


def ring_silicon(axes: Axes, view: View) -> None:
    """Rings around Si, which a wide field hardly shows."""
    if view.size_nm[1] > WIDE_NM:
        rings = _discs(view, view.species == 1, RING_NM, axes)
        rings.set(facecolor="none", edgecolor=style.GLOW[1], linewidth=0.7)


def draw_species(axes: Axes, view: View) -> None:
    """Where atoms are, on black: C small, Si larger and on top."""
    left, right, bottom, top = view.extent
    axes.imshow(np.zeros((1, 1)), cmap="gray", vmin=0, vmax=1, extent=view.extent)
    for code, colour in enumerate(style.GLOW):
        chosen = view.species == code
        discs = _discs(view, chosen, DOT_NM[code], axes)
        discs.set(facecolor=colour, edgecolor="none", rasterized=True)
    axes.set(xlim=(left, right), ylim=(bottom, top))


def draw_values(
    axes: Axes,
    view: View,
    values: NDArray[np.float64],
    colours: Colormap,
    limits: tuple[float, float],
) -> EllipseCollection:
    """Atoms coloured by a quantity, NaN in grey; Si larger, with a rim, on top."""
    scale = Normalize(*limits)
    for code in (0, 1):
        chosen = view.species == code
        wider = WIDER if view.size_nm[1] > WIDE_NM else 1.0
        discs = _discs(view, chosen, wider * DISC_NM[code], axes)
        discs.set(cmap=colours, norm=scale, rasterized=True)
        discs.set_array(np.ma.masked_invalid(values[chosen]))
        discs.set_edgecolor("none" if code == 0 else style.INK)
        discs.set_linewidth(0 if code == 0 else 0.6)
    left, right, bottom, top = view.extent
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    return discs


def show_box(axes: Axes, box: Box) -> None:
    """Draw its outline."""
    left, top, right, bottom = (
        box.left_nm,
        box.top_nm,
        box.left_nm + box.side_nm,
        box.top_nm + box.side_nm,
    )
    axes.plot(
        [left, right, right, left, left], [top, top, bottom, bottom, top],
        color="white", linewidth=0.9, linestyle=(0, (4, 2)),
    )  # fmt: skip


def zoom_to(axes: Axes, box: Box) -> None:
    """Show nothing but what lies in it."""
    axes.set_xlim(box.left_nm, box.left_nm + box.side_nm)
    axes.set_ylim(box.top_nm + box.side_nm, box.top_nm)


def say_nothing(axes: Axes, view: View, why: str) -> None:
    """Words instead of a map, of the same size."""
    left, right, bottom, top = view.extent
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    axes.set_facecolor("#eef1f4")
    axes.text(
        0.5, 0.5, why, ha="center", va="center", color=style.MUTED,
        transform=axes.transAxes, wrap=True,
    )  # fmt: skip


def _discs(
    view: View, chosen: NDArray[np.bool_], diameter_nm: float, axes: Axes
) -> EllipseCollection:
    """Circles of a size on the sample, not on paper."""
    where = np.column_stack([view.x_nm[chosen], view.y_nm[chosen]])
    size = np.full(len(where), diameter_nm)
    discs = EllipseCollection(
        size, size, np.zeros(len(where)), units="xy", offsets=where,
        offset_transform=axes.transData,
    )  # fmt: skip
    axes.add_collection(discs)
    return discs
