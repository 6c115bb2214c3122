"""What is in a session, also while services write to it."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import pyarrow as pa

from streamer.analysis import Analysis, ModelId
from streamer.atoms import Atoms
from streamer.errors import SessionError
from streamer.frame import Completeness, Frame
from streamer.header import MAX_SEQ
from streamer.messages import SUPERSEDED
from streamer.preview import preview
from streamer.session import atoms_table, rows, tiff
from streamer.session.durable import MAX_FILE_BYTES, read_own
from streamer.session.exposure import Exposure, exposure_of
from streamer.session.failures import reading
from streamer.session.index import open_index, pragma
from streamer.session.layout import Layout
from streamer.session.records import (
    AnalysisRecord,
    AttemptRecord,
    EventRecord,
    FrameKey,
    FrameRecord,
    GapRecord,
    Progress,
    StreamRecord,
    Totals,
)
from streamer.session.writing import sha256

BY_KEY = " WHERE streams.id = ? AND seq = ?"
PENDING = """
    SELECT id, seq, completeness FROM frames JOIN streams ON streams.number = stream
    WHERE frames.number NOT IN (SELECT frame FROM analyses)
        AND frames.number NOT IN (SELECT frame FROM attempts WHERE reason IS NOT NULL)
    ORDER BY frames.number
"""
ANALYSED = """
    SELECT id, seq FROM analyses
        JOIN frames ON frames.number = frame
        JOIN streams ON streams.number = stream
"""


class SessionReader:
    """Streams, frames, analyses and ledger of a session folder, which it never changes.

    Each answer is what was committed at that moment. Every file is compared with its
    checksum when it is read. May be used by one thread at a time, whichever.

    Raises
    ------
    SessionError
        From the constructor: no session, or one of a newer version. From any method:
        the index or a file is gone or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._layout = Layout(folder)
        self._connection = open_index(folder, writing=False)
        self._connection.row_factory = sqlite3.Row

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index."""
        self._connection.close()

    @property
    def folder(self) -> Path:
        """The session."""
        return self._layout.folder

    def check_there(self) -> None:
        """Refuse to go on when the folder is gone: an open index does not notice.

        Raises
        ------
        SessionError
            It is.
        """
        if not self._layout.index.is_file():
            raise SessionError(f"{self._layout.index} is gone")

    def version(self) -> int:
        """Number that is another one whenever somebody has committed something."""
        with reading(self._layout.index):
            return pragma(self._connection, "data_version")

    def streams(self) -> list[StreamRecord]:
        """All streams, in the order in which they came."""
        return self._records(rows.STREAMS, rows.stream_record)

    def frames(self, stream_id: str) -> list[FrameRecord]:
        """All committed frames of a stream, by `seq`."""
        query = f"{rows.FRAMES} WHERE streams.id = ? ORDER BY seq"
        return self._records(query, rows.frame_record, stream_id)

    def analyses(
        self, stream_id: str, first: int = 0, last: int = MAX_SEQ
    ) -> list[AnalysisRecord]:
        """Committed analyses of a stream, by `seq`, without their atoms.

        Of frames `first` to `last`, both included.
        """
        query = f"{rows.ANALYSES} WHERE streams.id = ? AND seq BETWEEN ? AND ?"
        query += " ORDER BY seq"
        return self._records(query, rows.analysis_record, stream_id, first, last)

    def pending(self) -> list[FrameKey]:
        """Frames that are to be analysed, in the order of their commits."""
        return self._records(PENDING, _key)

    def pending_states(self) -> dict[FrameKey, Completeness]:
        """The same, each with how much of it was scanned when it was sent."""
        return dict(
            self._records(
                PENDING, lambda row: (_key(row), Completeness(row["completeness"]))
            )
        )

    def analysed(self, stream_id: str) -> list[FrameKey]:
        """Frames of a stream that are analysed, by `seq`."""
        query = f"{ANALYSED} WHERE streams.id = ? ORDER BY seq"
        return self._records(query, _key, stream_id)

    def reach(self, stream_id: str) -> tuple[int, int] | None:
        """First and last `seq` of a stream that are analysed; None if none is."""
        query = f"SELECT MIN(seq), MAX(seq) FROM ({ANALYSED} WHERE streams.id = ?)"
        first, last = self._records(query, tuple, stream_id)[0]
        return None if first is None else (first, last)

    def nearest_analysed(
        self, stream_id: str, seq: int
    ) -> tuple[int | None, int | None]:
        """The last analysed `seq` that is not after `seq`, the first not before it."""
        query = f"""
            SELECT MAX(CASE WHEN seq <= ? THEN seq END),
                MIN(CASE WHEN seq >= ? THEN seq END)
            FROM ({ANALYSED} WHERE streams.id = ?)
        """
        return self._records(query, lambda row: (row[0], row[1]), seq, seq, stream_id)[
            0
        ]

    def attempts(self) -> list[AttemptRecord]:
        """What was begun and never finished, and not set aside."""
        query = f"{rows.ATTEMPTS} WHERE reason IS NULL ORDER BY frame"
        return self._records(query, rows.attempt_record)

    def set_aside(self) -> list[AttemptRecord]:
        """Frames that are not analysed, with the reason, in the order of commits."""
        query = f"{rows.ATTEMPTS} WHERE reason IS NOT NULL ORDER BY frame"
        return self._records(query, rows.attempt_record)

    def newest_model(self) -> ModelId | None:
        """The model that has analysed the newest analysed frame; None at first."""
        query = f"{rows.ANALYSES} ORDER BY frame DESC LIMIT 1"
        found = self._records(query, rows.analysis_record)
        return found[0].model if found else None

    def gaps(self) -> list[GapRecord]:
        """The ledger of frames that could not be had, in the order of notice."""
        return self._records(f"{rows.GAPS} ORDER BY gaps.number", rows.gap_record)

    def gap_reason(self, stream_id: str, seq: int) -> str | None:
        """Why a frame could not be had; None if that is not known, or it is there."""
        found = self._records(
            rows.GAP_REASON, lambda row: str(row["reason"]), stream_id, seq
        )
        return found[0] if found else None

    def events(self) -> list[EventRecord]:
        """What happened to the services, in order."""
        query = "SELECT * FROM events ORDER BY number"
        return self._records(query, rows.event_record)

    def totals(self) -> Totals:
        """Counts of the whole session."""
        return self._records(rows.TOTALS, lambda row: Totals(*row), SUPERSEDED)[0]

    def progress(self) -> Progress:
        """How far the whole session has come."""
        return self._records(rows.PROGRESS, lambda row: Progress(*row))[0]

    def newest(self, count: int) -> list[tuple[int, int]]:
        """(received_ns, bytes with those of its analysis) of `count` frames at most.

        Those that were committed last, the newest first.
        """
        return self._records(rows.NEWEST, tuple, count)

    def newest_frame(self) -> FrameRecord | None:
        """What the index says of the frame that was committed last; None at first."""
        query = f"{rows.FRAMES} ORDER BY frames.number DESC LIMIT 1"
        found = self._records(query, rows.frame_record)
        return found[0] if found else None

    def next_seq(self, stream_id: str) -> int:
        """The `seq` after the last that was committed or given up; 0 at first."""
        found = self._records(rows.NEXT_SEQ, lambda row: int(row[0]), stream_id)
        return found[0] if found else 0

    def frame(self, stream_id: str, seq: int) -> Frame:
        """A committed frame, equal to what was received."""
        row = self._row(rows.FRAMES, stream_id, seq)
        path = self._layout.frame(row["stream"], seq)
        with reading(path):
            return tiff.decode(_whole(path, row["bytes"], row["sha256"]))

    def frame_record(self, stream_id: str, seq: int) -> FrameRecord:
        """What the index says of a committed frame."""
        row = self._row(rows.FRAMES, stream_id, seq)
        with reading(self._layout.index):
            return rows.frame_record(row)

    def exposure(self, stream_id: str, seq: int) -> Exposure:
        """Time and accumulated dose of a committed frame."""
        return self.frame_record(stream_id, seq).exposure

    def exposure_ahead(self, frame: Frame) -> Exposure:
        """Time and dose that a frame would have if it were committed now."""
        with reading(self._layout.index):
            query = "SELECT number FROM streams WHERE id = ?"
            row = self._connection.execute(query, (frame.stream.id,)).fetchone()
            # In a stream that is not there yet it is the first.
            return exposure_of(self._connection, row[0] if row else -1, frame)

    def atoms(self, stream_id: str, seq: int) -> Atoms:
        """Atoms of an analysed frame."""
        table = self.atoms_table(stream_id, seq)
        with reading(self._layout.folder):
            return atoms_table.to_atoms(table)

    def atoms_table(
        self, stream_id: str, seq: int, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Atoms of an analysed frame with the columns of its Parquet file.

        Of `columns` those that the file has, where they are named.
        """
        row = self._row(rows.ANALYSES, stream_id, seq)
        path = self._layout.table(row["stream"], seq)
        with reading(path):
            data = _whole(path, row["table_bytes"], row["table_sha256"])
            return atoms_table.decode(data, columns)

    def analysed_ns(self, stream_id: str, seq: int) -> int | None:
        """When an analysis was committed, since 1970 UTC; see `AnalysisRecord`."""
        row = self._row(rows.ANALYSES, stream_id, seq)
        with reading(self._layout.index):
            return rows.analysis_record(row).committed_ns

    def analysis(self, stream_id: str, seq: int) -> Analysis:
        """The whole analysis of a frame; its preview is made from the frame."""
        with reading(self._layout.index):
            row = self._row(rows.ANALYSES, stream_id, seq)
            record = rows.analysis_record(row)
        frame = self.frame(stream_id, seq)
        return Analysis(
            stream=frame.stream,
            seq=seq,
            model=record.model,
            provider=record.provider,
            shape=frame.shape,
            pixel_size_nm=record.pixel_size_nm,
            origin_nm=frame.origin_nm,
            time_s=record.frame.exposure.time_s,
            dose_e_nm2=record.frame.exposure.dose_e_nm2,
            completeness=frame.completeness,
            flags=record.flags,
            atoms=self.atoms(stream_id, seq),
            summary=record.summary,
            stages_ms=record.stages_ms,
            latency_s=record.latency_s,
            preview=preview(frame.image, frame.valid_rows),
            pixel_size_source=record.pixel_size_source,
            estimated_pixel_size_nm=record.estimated_pixel_size_nm,
            rows_so_far=frame.rows_so_far,
        )

    def _records[T](
        self, query: str, record: Callable[[sqlite3.Row], T], *values: str | int
    ) -> list[T]:
        with reading(self._layout.index):
            return [record(row) for row in self._connection.execute(query, values)]

    def _row(self, query: str, stream_id: str, seq: int) -> sqlite3.Row:
        found = self._records(query + BY_KEY, lambda row: row, stream_id, seq)
        if not found:
            what = "frame" if query == rows.FRAMES else "analysis of a frame"
            raise SessionError(
                f"{self._layout.folder} has no {what} {seq} of stream {stream_id}"
            )
        return found[0]


def _key(row: sqlite3.Row) -> FrameKey:
    return FrameKey(row["id"], row["seq"])


def _whole(path: Path, size: int, checksum: str) -> bytes:
    """Bytes of a file that are those that were written."""
    data = read_own(path, min(size, MAX_FILE_BYTES))
    if sha256(data) != checksum:
        raise ValueError("its checksum is not the one in the index")
    return data
