"""The whole path of one frame: pixels → probabilities → atoms → order → analysis."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from inference.describe import Describer, describer_of
from inference.locate import locate
from inference.model import Encoded, Model
from inference.pixels import Pixels, pixels_of
from inference.positions import Placed, place_by_fit, place_by_network
from inference.quality import doubts
from inference.segment import Maps, segment
from inference.stopwatch import Stopwatch
from inference.summary import nothing, summarise
from streamer.analysis import Analysis, Flag, Summary
from streamer.atoms import Atoms, sigma_columns
from streamer.frame import Frame
from streamer.preview import preview

LONELY_NM = 0.25
"""An atom with no other one within this has no orientation."""


@dataclass(frozen=True, slots=True)
class History:
    """What is known about a frame only from the frames before it."""

    time_s: float = math.nan
    """Since the start of the stream's first frame; NaN if unknown."""
    dose_e_nm2: float = math.nan
    """Accumulated, this frame included; NaN if unknown."""
    waited_s: float = 0.0
    """Since the frame arrived."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the encoder says of each atom."""

    encoded: Encoded
    edge: NDArray[np.bool_]


@dataclass(frozen=True)
class Analyser:
    """One model, analysing frame after frame; keeps nothing between frames."""

    model: Model
    pixel_size_nm: float | None = None
    """Instead of the frames' own calibration; None to trust that."""
    refine: bool = True
    """Whether positions are measured by a fit to the frame, or left as the network
    has them."""
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
        pixel_size_nm = self.pixel_size_nm or frame.pixel_size_nm
        flags, maps, placed = self._see(pixels, pixel_size_nm, watch)
        flags = (*pixels.flags, *flags)
        if maps is None or placed is None or pixel_size_nm is None:
            return self._without_atoms(frame, history, flags, watch)
        flags += _doubts(pixels, placed, pixel_size_nm)
        watch.lap("quality")
        order = self._order(maps, placed, watch)
        atoms = self._table(frame, pixel_size_nm, placed, order)
        summary = summarise(atoms, analysed_shape(frame), pixel_size_nm)
        watch.lap("summary")
        return self._report(frame, history, flags, atoms, summary, watch)

    def give_up(self, frame: Frame, history: History) -> Analysis:
        """What stands for the analysis of a frame that could not be analysed."""
        watch = Stopwatch(self.clock)
        return self._without_atoms(frame, history, (Flag.FAILED,), watch)

    def _without_atoms(
        self,
        frame: Frame,
        history: History,
        flags: tuple[Flag, ...],
        watch: Stopwatch,
    ) -> Analysis:
        pixel_size_nm = self.pixel_size_nm or frame.pixel_size_nm
        atoms = Atoms.none(self.model.id.latents)
        summary = nothing(analysed_shape(frame), pixel_size_nm)
        return self._report(frame, history, flags, atoms, summary, watch)

    def _report(
        self,
        frame: Frame,
        history: History,
        flags: tuple[Flag, ...],
        atoms: Atoms,
        summary: Summary,
        watch: Stopwatch,
    ) -> Analysis:
        shown = preview(frame.image, frame.valid_rows)
        watch.lap("preview")
        return Analysis(
            stream=frame.stream,
            seq=frame.seq,
            model=self.model.id,
            provider=self.model.provider,
            shape=frame.shape,
            pixel_size_nm=self.pixel_size_nm or frame.pixel_size_nm,
            origin_nm=frame.origin_nm,
            time_s=history.time_s,
            dose_e_nm2=history.dose_e_nm2,
            completeness=frame.completeness,
            flags=flags,
            atoms=atoms,
            summary=summary,
            stages_ms=watch.laps_ms,
            latency_s=history.waited_s + watch.total_s,
            preview=shown,
        )

    def _see(
        self, pixels: Pixels, pixel_size_nm: float | None, watch: Stopwatch
    ) -> tuple[tuple[Flag, ...], Maps | None, Placed | None]:
        """Maps and atoms, or the reason why there are none."""
        if pixel_size_nm is None:
            return (Flag.NO_PIXEL_SIZE,), None, None
        if not pixels.worth_analysing:
            return (Flag.NO_ATOMS,), None, None
        card = self.model.card.dcnn
        maps = segment(pixels.image, pixel_size_nm, card, self.model.segment)
        watch.lap("network")
        if maps is None:
            return (Flag.TOO_SMALL, Flag.NO_ATOMS), None, None
        placed = self._place(pixels, maps, pixel_size_nm, watch)
        if len(placed) == 0:
            return (Flag.NO_ATOMS,), None, None
        return (), maps, placed

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


def _doubts(pixels: Pixels, placed: Placed, pixel_size_nm: float) -> tuple[Flag, ...]:
    seen = np.isfinite(placed.net).all(axis=1)
    return doubts(pixels.image, placed.net[seen], placed.score[seen], pixel_size_nm)


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


def analysed_shape(frame: Frame) -> tuple[int, int]:
    """(rows, cols) of the part of a frame that really belongs to it."""
    return frame.valid_rows, frame.shape[1]


def _lonely(rowcol_nm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N,): atoms without another one within `LONELY_NM`."""
    tree = KDTree(rowcol_nm, balanced_tree=False)
    lonely = np.ones(len(rowcol_nm), bool)
    lonely[tree.query_pairs(LONELY_NM, output_type="ndarray").ravel()] = False
    return lonely
