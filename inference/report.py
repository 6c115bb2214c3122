"""What is told of a frame besides its atoms: the analysis as it leaves."""

import math
from dataclasses import dataclass

from inference.histograms import ranges_of
from inference.model import Model
from inference.stopwatch import Stopwatch
from inference.summary import nothing
from streamer.analysis import Analysis, Flag, Summary, pixel_size_source
from streamer.atoms import Atoms
from streamer.frame import Frame
from streamer.preview import preview


@dataclass(frozen=True, slots=True)
class History:
    """What is known about a frame only from the frames before it."""

    time_s: float = math.nan
    """Since the start of the stream's first frame; NaN if unknown."""
    dose_e_nm2: float = math.nan
    """Accumulated, this frame included; NaN if unknown."""
    waited_s: float = 0.0
    """Since the frame arrived."""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """All that an analysis says whatever was found."""

    model: Model
    frame: Frame
    history: History
    pixel_size_nm: float | None
    """What was used."""
    watch: Stopwatch
    estimated_nm: float | None = None
    """The pixel size that the lattice tells, if that was used or contradicts."""

    def without_atoms(
        self, flags: tuple[Flag, ...], analysed_shape: tuple[int, int]
    ) -> Analysis:
        """The analysis of a frame in which there is nothing; `flags` say why.

        Parameters
        ----------
        analysed_shape
            (rows, cols) of the part of the frame that was looked at.
        """
        ranges = ranges_of(self.model.card.encoder)
        summary = nothing(analysed_shape, self.pixel_size_nm, ranges)
        return self.of(flags, Atoms.none(self.model.id.latents), summary)

    def of(self, flags: tuple[Flag, ...], atoms: Atoms, summary: Summary) -> Analysis:
        """The analysis of a frame with these atoms."""
        frame, history = self.frame, self.history
        shown = preview(frame.image, frame.valid_rows)
        self.watch.lap("preview")
        return Analysis(
            stream=frame.stream,
            seq=frame.seq,
            model=self.model.id,
            provider=self.model.provider,
            shape=frame.shape,
            pixel_size_nm=self.pixel_size_nm,
            origin_nm=frame.origin_nm,
            time_s=history.time_s,
            dose_e_nm2=history.dose_e_nm2,
            completeness=frame.completeness,
            flags=flags,
            atoms=atoms,
            summary=summary,
            stages_ms=self.watch.laps_ms,
            latency_s=history.waited_s + self.watch.total_s,
            preview=shown,
            pixel_size_source=pixel_size_source(
                self.pixel_size_nm, frame.pixel_size_nm, flags
            ),
            estimated_pixel_size_nm=self.estimated_nm,
            rows_so_far=frame.rows_so_far,
        )
