"""The whole path of one frame: pixels → probabilities → atoms → order → analysis."""

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from inference.bonds import Bonds, bonds_of
from inference.describe import Describer, describer_of
from inference.histograms import ranges_of
from inference.lattice import Lattice, lattice_at_rest
from inference.locate import Peaks, locate
from inference.model import Model
from inference.order import Order, in_places
from inference.pixel_size import estimate_pixel_size
from inference.pixels import Pixels, pixels_of
from inference.positions import Placed, place_by_fit, place_by_network
from inference.quality import Judged, contradicts, judge
from inference.report import (
    History as History,  # part of what callers of `Analyser` need
)
from inference.report import Report
from inference.segment import Maps, segment
from inference.stars import stars_of
from inference.stopwatch import Stopwatch
from inference.summary import summarise
from inference.tiles import MOST_PX
from streamer.analysis import Analysis, Flag
from streamer.atoms import Atoms, sigma_columns
from streamer.frame import Frame

STRANGE = {Flag.NO_ATOMS, Flag.OTHER_LATTICE, Flag.TOO_NOISY}
"""What a frame of graphene can look like when its pixel size is far off."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The pixel size to go by, and what is to be said of it."""

    pixel_size_nm: float | None
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Maps and atoms of a frame, or why there are none."""

    flags: tuple[Flag, ...]
    placed: Placed | None = None
    order: Order | None = None


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
    beside: bool = True
    """Whether sub-images are described and encoded while positions are fitted, where
    there is a second thread. The result is the same."""
    describer: Describer = field(init=False)
    blas: ThreadpoolController = field(init=False, default_factory=ThreadpoolController)

    def __post_init__(self) -> None:
        threads = max(1, self.model.threads - (self.refine and self.beside))
        object.__setattr__(self, "describer", describer_of(self.model.card, threads))

    def analyse(self, frame: Frame, history: History) -> Analysis:
        """Everything found in one frame; a frame without atoms says why in its flags.

        The same frame gives the same atoms, bit for bit, whatever came before it.
        """
        # Once for all threads of a frame: a limit that one of them lifted while another
        # still computes would decide the last bits of that one's result.
        with self.blas.limit(limits=1, user_api="blas"):
            return self._analyse(frame, history)

    def _analyse(self, frame: Frame, history: History) -> Analysis:
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
        if seen.placed is None or seen.order is None or scale.pixel_size_nm is None:
            return report.without_atoms(flags, shape)
        bonds = bonds_of(seen.placed.smooth() * scale.pixel_size_nm)
        atoms = self._table(frame, scale.pixel_size_nm, seen.placed, seen.order, bonds)
        ranges = ranges_of(self.model.card.encoder)
        lattice = _lattice(judged, bonds, seen.placed, scale.pixel_size_nm)
        summary = summarise(atoms, shape, scale.pixel_size_nm, bonds, lattice, ranges)
        watch.lap("summary")
        return report.of(flags, atoms, summary)

    def give_up(self, frame: Frame, history: History) -> Analysis:
        """What stands for the analysis of a frame that could not be analysed."""
        pixel_size_nm = self.pixel_size_nm or frame.pixel_size_nm
        report = Report(
            self.model, frame, history, pixel_size_nm, Stopwatch(self.clock)
        )
        analysed_shape = frame.valid_rows, frame.shape[1]
        return report.without_atoms((Flag.FAILED, Flag.NO_ATOMS), analysed_shape)

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
        """Atoms and their order, or the reason why there are none."""
        if not pixels.worth_analysing:
            return Seen((Flag.NO_ATOMS,))
        if pixel_size_nm is None:
            return Seen((Flag.NO_PIXEL_SIZE, Flag.NO_ATOMS))
        card = self.model.card.dcnn
        maps = segment(
            pixels.image, pixel_size_nm, card, self.model.segment, self.most_px
        )
        watch.lap("network")
        if maps is None:
            return Seen((Flag.TOO_SMALL, Flag.NO_ATOMS))
        peaks = locate(maps.carbon, maps.silicon, card)
        watch.lap("locate")
        if not self.refine:
            placed = place_by_network(peaks, maps.grid, card)
            return self._seen(placed, self._order(maps, peaks.rowcol, watch))
        return self._measured(pixels, maps, peaks, pixel_size_nm, watch)

    def _measured(
        self,
        pixels: Pixels,
        maps: Maps,
        peaks: Peaks,
        pixel_size_nm: float,
        watch: Stopwatch,
    ) -> Seen:
        """Positions fitted; meanwhile, on a second thread, what surrounds each peak."""

        def fitted() -> Placed:
            card = self.model.card.dcnn
            placed = place_by_fit(pixels.image, peaks, maps.grid, card, pixel_size_nm)
            watch.lap("refine")
            return placed

        if self.beside and self.model.threads > 1:
            with ThreadPoolExecutor(1) as other:
                of_peaks = other.submit(self._order, maps, peaks.rowcol, watch.beside())
                placed = fitted()
                order = of_peaks.result()
            # What was left of it: stages follow each other, and add up to the whole.
            watch.lap("order")
        else:
            order = self._order(maps, peaks.rowcol, watch)
            placed = fitted()
        added = placed.on_maps[placed.peak < 0]
        order = in_places(placed.peak, order, self._order(maps, added, watch.beside()))
        watch.lap("added")
        return self._seen(placed, order)

    def _seen(self, placed: Placed, order: Order) -> Seen:
        return Seen((), placed, order) if len(placed) else Seen((Flag.NO_ATOMS,))

    def _order(
        self, maps: Maps, rowcol: NDArray[np.float64], watch: Stopwatch
    ) -> Order:
        """What the encoder says of atoms at (N, 2) positions on the maps."""
        described = self.describer.describe(maps, rowcol)
        watch.lap("sub-images")
        encoded = self.model.encode(described.rows)
        watch.lap("encoder")
        return Order(encoded, described.edge)

    def _table(
        self,
        frame: Frame,
        pixel_size_nm: float,
        placed: Placed,
        order: Order,
        bonds: Bonds,
    ) -> Atoms:
        row, col = placed.rowcol.astype(np.float32).T
        row_net, col_net = placed.net.astype(np.float32).T
        y_sigma, x_sigma = (placed.sigma_px * pixel_size_nm).astype(np.float32).T
        x_origin, y_origin = frame.origin_nm
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
            angle_rad=np.where(bonds.lonely(), np.float32(np.nan), encoded.angle_rad),
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


def _lattice(
    judged: Judged, bonds: Bonds, placed: Placed, pixel_size_nm: float
) -> Lattice:
    """The lattice where nothing pulls at it, if there is one.

    With a pixel size that is wrong, bonds are told by the wrong distance: the lattice
    by which that was judged stands.
    """
    if not math.isfinite(judged.lattice.scale) or contradicts(judged.lattice.scale):
        return judged.lattice
    stars = stars_of(bonds, placed.tempered(pixel_size_nm) * pixel_size_nm)
    return lattice_at_rest(stars) if len(stars) else judged.lattice


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
