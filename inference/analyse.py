"""The whole path of one frame: pixels → probabilities → atoms → order → analysis."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from inference.describe import Describer, describer_of
from inference.histograms import ranges_of
from inference.locate import locate
from inference.model import Encoded, Model
from inference.pixel_size import estimate_pixel_size
from inference.pixels import Pixels, pixels_of
from inference.positions import Placed, place_by_fit, place_by_network
from inference.quality import Judged, contradicts, judge
from inference.report import (
    History as History,  # part of what callers of `Analyser` need
)
from inference.report import Report
from inference.segment import Maps, segment
from inference.stopwatch import Stopwatch
from inference.summary import summarise
from inference.tiles import MOST_PX
from streamer.analysis import Analysis, Flag
from streamer.atoms import Atoms, sigma_columns
from streamer.frame import Frame

STRANGE = {Flag.NO_ATOMS, Flag.OTHER_LATTICE, Flag.TOO_NOISY}
"""What a frame of graphene can look like when its pixel size is far off."""
LONELY_NM = 0.25
"""An atom with no other one within this has no orientation."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the encoder says of each atom."""

    encoded: Encoded
    edge: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scale:
    """The pixel size to go by, and what is to be said of it."""

    pixel_size_nm: float | None
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Maps and atoms of a frame, or why there are none."""

    flags: tuple[Flag, ...]
    maps: Maps | None = None
    placed: Placed | None = None


@dataclass(frozen=True)
class Analyser:
    """One model, analysing frame after frame; keeps nothing between frames."""

    model: Model
    pixel_size_nm: float | None = None
    """Instead of the frames' own calibration; None to trust that. Where there is
    neither, each frame's own lattice is asked."""
    estimate_pixel_size: bool = False
    """Whether each frame's own lattice is asked first."""
    refine: bool = True
    """Whether positions are measured by a fit to the frame, or left as the network
    has them."""
    most_px: int = MOST_PX
    """Pixels that the network sees at once; larger frames go through it in tiles."""
    clock: Callable[[], float] = time.perf_counter
    describer: Describer = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "describer", describer_of(self.model.card, self.model.threads)
        )

    def analyse(self, frame: Frame, history: History) -> Analysis:
        """Everything found in one frame; a frame without atoms says why in its flags.

        The same frame gives the same atoms, bit for bit, whatever came before it.
        """
        watch = Stopwatch(self.clock)
        pixels = pixels_of(frame)
        watch.lap("prepare")
        scale = self._scale(frame, pixels, watch)
        seen = self._see(pixels, scale.pixel_size_nm, watch)
        judged = _judged(pixels, seen.placed, scale.pixel_size_nm)
        watch.lap("quality")
        flags = (*pixels.flags, *scale.flags, *seen.flags, *judged.doubts)
        told_nm = self._told_by_lattice(pixels, scale, judged, flags, watch)
        flags = _with_doubt(flags, told_nm)
        report = Report(self.model, frame, history, scale.pixel_size_nm, watch, told_nm)
        shape = (pixels.image.shape[0], pixels.image.shape[1])
        if seen.maps is None or seen.placed is None or scale.pixel_size_nm is None:
            return report.without_atoms(flags, shape)
        order = self._order(seen.maps, seen.placed, watch)
        atoms = self._table(frame, scale.pixel_size_nm, seen.placed, order)
        ranges = ranges_of(self.model.card.encoder)
        lattice = judged.lattice
        summary = summarise(atoms, shape, scale.pixel_size_nm, lattice, ranges)
        watch.lap("summary")
        return report.of(flags, atoms, summary)

    def give_up(self, frame: Frame, history: History) -> Analysis:
        """What stands for the analysis of a frame that could not be analysed."""
        pixel_size_nm = self.pixel_size_nm or frame.pixel_size_nm
        report = Report(
            self.model, frame, history, pixel_size_nm, Stopwatch(self.clock)
        )
        return report.without_atoms((Flag.FAILED,), (frame.valid_rows, frame.shape[1]))

    def _scale(self, frame: Frame, pixels: Pixels, watch: Stopwatch) -> Scale:
        known = self.pixel_size_nm or frame.pixel_size_nm
        if known is not None and not self.estimate_pixel_size:
            return Scale(known)
        estimated = self._by_lattice(pixels, watch)
        if estimated is None:
            return Scale(known)
        return Scale(estimated, (Flag.PIXEL_SIZE_ESTIMATED,))

    def _by_lattice(self, pixels: Pixels, watch: Stopwatch) -> float | None:
        if not pixels.worth_analysing:
            return None
        card, network = self.model.card.dcnn, self.model.segment
        estimated = estimate_pixel_size(pixels.image, card, network)
        watch.lap("pixel size")
        return estimated

    def _told_by_lattice(
        self,
        pixels: Pixels,
        scale: Scale,
        judged: Judged,
        flags: tuple[Flag, ...],
        watch: Stopwatch,
    ) -> float | None:
        """The pixel size that the lattice tells, where it was used or contradicts.

        A frame in which nothing sensible was seen is asked whether it has another one.
        """
        used_nm, doubtful = scale.pixel_size_nm, Flag.PIXEL_SIZE_DOUBTFUL in flags
        if used_nm is None or scale.flags:
            return used_nm
        if not doubtful and not STRANGE & set(flags):
            return None
        estimated = self._by_lattice(pixels, watch)
        if doubtful:
            # What the network sees at a wrong scale leans towards that scale.
            return estimated or used_nm / judged.lattice.scale
        if estimated is None or not contradicts(estimated / used_nm):
            return None
        return estimated

    def _see(
        self, pixels: Pixels, pixel_size_nm: float | None, watch: Stopwatch
    ) -> Seen:
        """Maps and atoms, or the reason why there are none."""
        if not pixels.worth_analysing:
            return Seen((Flag.NO_ATOMS,))
        if pixel_size_nm is None:
            return Seen((Flag.NO_PIXEL_SIZE,))
        card = self.model.card.dcnn
        maps = segment(
            pixels.image, pixel_size_nm, card, self.model.segment, self.most_px
        )
        watch.lap("network")
        if maps is None:
            return Seen((Flag.TOO_SMALL, Flag.NO_ATOMS))
        placed = self._place(pixels, maps, pixel_size_nm, watch)
        if len(placed) == 0:
            return Seen((Flag.NO_ATOMS,))
        return Seen((), maps, placed)

    def _place(
        self, pixels: Pixels, maps: Maps, pixel_size_nm: float, watch: Stopwatch
    ) -> Placed:
        card = self.model.card.dcnn
        peaks = locate(maps.carbon, maps.silicon, card)
        watch.lap("locate")
        if not self.refine:
            return place_by_network(peaks, maps.grid, card)
        placed = place_by_fit(pixels.image, peaks, maps.grid, card, pixel_size_nm)
        watch.lap("refine")
        return placed

    def _order(self, maps: Maps, placed: Placed, watch: Stopwatch) -> Order:
        described = self.describer.describe(maps, placed.on_maps)
        watch.lap("sub-images")
        encoded = self.model.encode(described.rows)
        watch.lap("encoder")
        return Order(encoded, described.edge)

    def _table(
        self, frame: Frame, pixel_size_nm: float, placed: Placed, order: Order
    ) -> Atoms:
        row, col = placed.rowcol.astype(np.float32).T
        row_net, col_net = placed.net.astype(np.float32).T
        y_sigma, x_sigma = (placed.sigma_px * pixel_size_nm).astype(np.float32).T
        x_origin, y_origin = frame.origin_nm
        lonely = _lonely(placed.rowcol * pixel_size_nm)
        encoded = order.encoded
        return Atoms(
            row_px=row,
            col_px=col,
            x_nm=(x_origin + placed.rowcol[:, 1] * pixel_size_nm).astype(np.float32),
            y_nm=(y_origin + placed.rowcol[:, 0] * pixel_size_nm).astype(np.float32),
            x_sigma_nm=x_sigma,
            y_sigma_nm=y_sigma,
            row_net_px=row_net,
            col_net_px=col_net,
            species=placed.species,
            score=placed.score,
            angle_rad=np.where(lonely, np.float32(np.nan), encoded.angle_rad),
            edge=order.edge,
            latents=_columns(self.model.id.latents, encoded.latents),
            sigmas=_columns(sigma_columns(self.model.id.latents), encoded.sigma),
        )


def _judged(
    pixels: Pixels, placed: Placed | None, pixel_size_nm: float | None
) -> Judged:
    if placed is None or pixel_size_nm is None:
        return Judged(())
    seen = np.isfinite(placed.net).all(axis=1)
    return judge(pixels.image, placed.net[seen], placed.score[seen], pixel_size_nm)


def _with_doubt(flags: tuple[Flag, ...], told_nm: float | None) -> tuple[Flag, ...]:
    said = {Flag.PIXEL_SIZE_ESTIMATED, Flag.PIXEL_SIZE_DOUBTFUL} & set(flags)
    return flags if told_nm is None or said else (*flags, Flag.PIXEL_SIZE_DOUBTFUL)


def _columns(
    names: tuple[str, ...], values: NDArray[np.float32] | None
) -> dict[str, NDArray[np.float32]]:
    """Each column of (N, k) values by its name."""
    if values is None:
        return {}
    return {
        name: np.ascontiguousarray(values[:, number])
        for number, name in enumerate(names)
    }


def _lonely(rowcol_nm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N,): atoms without another one within `LONELY_NM`."""
    tree = KDTree(rowcol_nm, balanced_tree=False)
    lonely = np.ones(len(rowcol_nm), bool)
    lonely[tree.query_pairs(LONELY_NM, output_type="ndarray").ravel()] = False
    return lonely
