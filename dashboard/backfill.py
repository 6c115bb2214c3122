"""What a session held before its frames were followed, brought into a hub."""

import logging
import threading
from collections.abc import Iterable, Sequence

import numpy as np

from dashboard.hub import Hub
from dashboard.missing import Missing
from dashboard.snapshot import Progress, Reach
from streamer.analysis import Analysis, Preview
from streamer.atoms import Atoms
from streamer.errors import SessionError
from streamer.frame import Completeness, Stream
from streamer.log_fields import of_frame
from streamer.session.reader import SessionReader
from streamer.session.records import AnalysisRecord

log = logging.getLogger(__name__)

NO_PICTURE = Preview(np.zeros((1, 1), np.uint8), 0.0, 0.0)

GLANCE = 250
"""Frames that are brought at once by what the index says of them."""

COUNT = 40
"""Frames whose atoms are read before the plots are drawn again."""


class Backfill:
    """Brings the numbers of older frames, the newest first and no pictures.

    First what the index says of all of them, which takes a second for thousands. Then
    the atoms of each, because the histograms of the index are coarse. May be used by
    one thread at a time.

    Parameters
    ----------
    hub
        Whose histories are filled.
    session
        Where the frames are.
    """

    def __init__(self, hub: Hub, session: SessionReader) -> None:
        self._hub = hub
        self._session = session
        self._uncounted: list[tuple[Stream, int]] = []
        self._total = 0

    def glance(
        self, stream: Stream, seqs: Sequence[int], stopping: threading.Event
    ) -> None:
        """Bring the numbers of frames of `stream`; their atoms will be counted later.

        `seqs` rise.
        """
        self._uncounted[:0] = [(stream, seq) for seq in seqs]
        self._total += len(seqs)
        self._tell_progress()
        for end in range(len(seqs), 0, -GLANCE):
            if stopping.is_set():
                return
            wanted = set(part := seqs[max(0, end - GLANCE) : end])
            records = self._session.analyses(stream.id, part[0], part[-1])
            found = glanced(stream, (r for r in records if r.frame.seq in wanted))
            self._hub.fill(stream, found, counted=False)

    def count_some(self) -> float:
        """Read the atoms of a few frames.

        Returns
        -------
        Seconds to wait before the next few, so that pages have half of the processor;
        0 if all are counted.
        """
        if not self._uncounted:
            return 0.0
        begin_s = self._hub.clock()
        part = self._uncounted[-COUNT:]
        del self._uncounted[-COUNT:]
        for stream in dict.fromkeys(stream for stream, _ in part):
            read = [self._read(stream, seq) for of, seq in part if of == stream]
            found = [each for each in read if each is not None]
            self._hub.fill(stream, found, counted=True)
        self._tell_progress()
        return self._hub.clock() - begin_s

    def _read(self, stream: Stream, seq: int) -> Analysis | None:
        """A frame with its atoms; one that cannot be read is counted as lost."""
        try:
            for record in self._session.analyses(stream.id, seq, seq):
                atoms = self._session.atoms(stream.id, seq)
                return without_picture(stream, record, atoms)
            return None  # whoever writes the session has taken it out
        except SessionError as error:
            text = "atoms of frame %d of %s: %s"
            log.warning(text, seq, stream.id, error, extra=of_frame(stream, seq))
            self._hub.lose(stream, Missing(seq, seq, "cannot be read back"))
            return None

    def _tell_progress(self) -> None:
        left = len(self._uncounted)
        if not left:
            self._total = 0
        self._hub.set_progress(
            Progress(self._total - left, self._total) if left else None
        )


def glanced(stream: Stream, records: Iterable[AnalysisRecord]) -> list[Analysis]:
    """Analyses of frames as the index has them: no atoms, and no pictures."""
    return [
        without_picture(stream, record, Atoms.none(record.model.latents))
        for record in records
    ]


def without_picture(stream: Stream, record: AnalysisRecord, atoms: Atoms) -> Analysis:
    """The analysis of a frame that is not read."""
    frame = record.frame
    complete = frame.completeness is Completeness.COMPLETE
    return Analysis(
        stream=stream,
        seq=frame.seq,
        model=record.model,
        provider=record.provider,
        shape=frame.shape,
        pixel_size_nm=record.pixel_size_nm,
        origin_nm=frame.origin_nm,
        time_s=frame.exposure.time_s,
        dose_e_nm2=frame.exposure.dose_e_nm2,
        completeness=frame.completeness,
        flags=record.flags,
        atoms=atoms,
        summary=record.summary,
        stages_ms=record.stages_ms,
        latency_s=record.latency_s,
        preview=NO_PICTURE,
        pixel_size_source=record.pixel_size_source,
        estimated_pixel_size_nm=record.estimated_pixel_size_nm,
        rows_so_far=None if complete else frame.valid_rows,
    )


def reach_on_disk(session: SessionReader, stream: Stream) -> Reach | None:
    """Which frames of a stream are in a session; None if none is."""
    reach = session.reach(stream.id)
    return None if reach is None else Reach(*reach)
