"""The whole path of one frame: pixels → probabilities → atoms → order → analysis."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from threadpoolctl import ThreadpoolController

from inference.harmonics import Rings, harmonics, ring_bases
from inference.locate import Peaks, locate
from inference.model import Model
from inference.pixels import Pixels, pixels_of
from inference.segment import Maps, segment
from inference.stopwatch import Stopwatch
from inference.subimages import SubImages, cut, halve, halved_position
from inference.summary import nothing, summarise
from streamer.analysis import Analysis, Flag, Summary
from streamer.atoms import Atoms
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

    angle_rad: NDArray[np.float32]
    latents: NDArray[np.float32]
    edge: NDArray[np.bool_]


@dataclass(frozen=True)
class Analyser:
    """One model, analysing frame after frame; keeps nothing between frames."""

    model: Model
    pixel_size_nm: float | None = None
    """Instead of the frames' own calibration; None to trust that."""
    clock: Callable[[], float] = time.perf_counter
    rings: Rings = field(init=False)
    bases: NDArray[np.float32] = field(init=False)
    blas: ThreadpoolController = field(init=False, default_factory=ThreadpoolController)

    def __post_init__(self) -> None:
        rings = Rings.of(self.model.card.encoder)
        object.__setattr__(self, "rings", rings)
        object.__setattr__(self, "bases", ring_bases(rings))

    def analyse(self, frame: Frame, history: History) -> Analysis:
        """Everything found in one frame; a frame without atoms says why in its flags.

        The same frame gives the same atoms, bit for bit, whatever came before it.
        """
        watch = Stopwatch(self.clock)
        pixels = pixels_of(frame)
        watch.lap("prepare")
        pixel_size_nm = self.pixel_size_nm or frame.pixel_size_nm
        flags, maps, peaks = self._see(pixels, pixel_size_nm, watch)
        flags = (*pixels.flags, *flags)
        if maps is None or peaks is None or pixel_size_nm is None:
            return self._without_atoms(frame, history, flags, watch)
        order = self._order(maps, peaks, watch)
        atoms = self._table(frame, pixel_size_nm, maps, peaks, order)
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
    ) -> tuple[tuple[Flag, ...], Maps | None, Peaks | None]:
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
        peaks = locate(maps.carbon, maps.silicon, card)
        watch.lap("locate")
        if len(peaks) == 0:
            return (Flag.NO_ATOMS,), None, None
        return (), maps, peaks

    def _order(self, maps: Maps, peaks: Peaks, watch: Stopwatch) -> Order:
        rows, cols = maps.grid.shape
        windows: SubImages = cut(
            halve(maps.carbon + maps.silicon),
            halved_position(peaks.rowcol),
            self.rings.radius_px,
            (rows / 2, cols / 2),
        )
        watch.lap("sub-images")
        # Many small products: two threads would spend their time waiting for each
        # other, and their number must not decide the last bit of the result.
        with self.blas.limit(limits=1, user_api="blas"):
            described = harmonics(windows, self.bases).view(np.float32)
        watch.lap("harmonics")
        angle, latents = self.model.encode(described)
        watch.lap("encoder")
        return Order(angle, latents, windows.edge)

    def _table(
        self,
        frame: Frame,
        pixel_size_nm: float,
        maps: Maps,
        peaks: Peaks,
        order: Order,
    ) -> Atoms:
        rowcol = maps.grid.to_frame(peaks.rowcol)
        row, col = rowcol.astype(np.float32).T
        x_origin, y_origin = frame.origin_nm
        unknown = np.full(len(peaks), np.nan, np.float32)
        lonely = _lonely(rowcol * pixel_size_nm)
        return Atoms(
            row_px=row,
            col_px=col,
            x_nm=(x_origin + rowcol[:, 1] * pixel_size_nm).astype(np.float32),
            y_nm=(y_origin + rowcol[:, 0] * pixel_size_nm).astype(np.float32),
            x_sigma_nm=unknown,
            y_sigma_nm=unknown,
            row_net_px=row,
            col_net_px=col,
            species=peaks.silicon.astype(np.uint8),
            score=peaks.score,
            angle_rad=np.where(lonely, np.float32(np.nan), order.angle_rad),
            edge=order.edge,
            latents={
                name: np.ascontiguousarray(order.latents[:, number])
                for number, name in enumerate(self.model.id.latents)
            },
        )


def analysed_shape(frame: Frame) -> tuple[int, int]:
    """(rows, cols) of the part of a frame that really belongs to it."""
    return frame.valid_rows, frame.shape[1]


def _lonely(rowcol_nm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N,): atoms without another one within `LONELY_NM`."""
    if len(rowcol_nm) < 2:
        return np.ones(len(rowcol_nm), bool)
    nearest = np.asarray(KDTree(rowcol_nm).query(rowcol_nm, k=2)[0])[:, 1]
    return np.asarray(nearest > LONELY_NM)
