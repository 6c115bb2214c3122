"""The service's side of a session: frames, and what is known about those lost."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from streamer.frame import Frame, Stream
from streamer.session import tiff
from streamer.session.durable import probe, write_file
from streamer.session.exposure import exposure_of
from streamer.session.failures import session_failures
from streamer.session.index import insert_row, transaction
from streamer.session.layout import Layout
from streamer.session.roles import Role
from streamer.session.writing import (
    commit_event,
    committed_files,
    frame_number,
    index_for,
    remove_unfinished,
    sha256,
)

INSERT_GAP = """
    INSERT INTO gaps (stream, first, last, reason, noticed_ns)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""


class FrameRecorder:
    """Commits frames, gaps and ends of streams to a session folder.

    What a method has returned from survives a crash of the process and of the machine.

    Parameters
    ----------
    folder
        A session, or a place for a new one. What a killed recorder left unfinished
        is removed.
    wait_s
        How long another process may take to give the session free.
    wall_ns
        The time, ns since 1970 UTC.

    Raises
    ------
    SessionError
        The folder cannot be used, or another process records to it.
    """

    def __init__(
        self,
        folder: Path,
        wait_s: float = 0,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._layout = Layout(folder)
        self._wall_ns = wall_ns
        with ExitStack() as stack:
            self._connection = stack.enter_context(
                index_for(folder, Role.RECORDER, wait_s)
            )
            committed = committed_files(self._connection, self._layout)
            remove_unfinished(self._layout.frames, committed)
            self._close = stack.pop_all().close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the session free for another recorder."""
        self._close()

    def commit_frame(
        self, frame: Frame, received_ns: int, sent_ns: int | None = None
    ) -> bool:
        """Whether the frame is new; whole and on the disk it is in either case.

        One that was given up and comes after all is taken out of the ledger of gaps.

        Parameters
        ----------
        received_ns
            When the frame arrived, ns since 1970 UTC.
        sent_ns
            When it was sent, by the source's clock; None where nobody knows.

        Raises
        ------
        SessionError
            It could not be written; the session is as it was, try again.
        """
        with session_failures(self._layout.folder):
            if frame_number(self._connection, frame.stream.id, frame.seq):
                return False
            stream = self._register(frame.stream)
            data = tiff.encode(frame)
            write_file(self._layout.frame(stream, frame.seq), data)
            with transaction(self._connection):
                times = {
                    "received_ns": received_ns,
                    "sent_ns": sent_ns,
                    "committed_ns": self._wall_ns(),
                }
                _insert(self._connection, stream, frame, times, data)
        return True

    def check_space(self, nbytes: int) -> None:
        """Try whether the disk takes a file of this size, and the index a row.

        Raises
        ------
        StorageError
            It does not.
        """
        with session_failures(self._layout.folder):
            probe(self._layout.frames, nbytes)
            with transaction(self._connection):
                self._connection.execute("UPDATE services SET pid = pid")

    def commit_gap(
        self, stream: Stream, first: int, last: int, reason: str, noticed_ns: int
    ) -> None:
        """Write into the ledger that frames `first` to `last` cannot be had again.

        Raises
        ------
        SessionError
            It could not be written.
        """
        with session_failures(self._layout.folder):
            number = self._register(stream)
            with transaction(self._connection):
                self._connection.execute(
                    INSERT_GAP, (number, first, last, reason, noticed_ns)
                )

    def commit_end(self, stream: Stream, total: int) -> None:
        """Write down that the source has ended the stream, after `total` frames.

        Raises
        ------
        SessionError
            It could not be written.
        """
        with session_failures(self._layout.folder):
            number = self._register(stream)
            with transaction(self._connection):
                self._connection.execute(
                    "UPDATE streams SET total = ? WHERE number = ?", (total, number)
                )

    def commit_event(self, time_ns: int, kind: str, text: str) -> None:
        """Write down what happened to the service, ns since 1970 UTC.

        Raises
        ------
        SessionError
            It could not be written.
        """
        with session_failures(self._layout.folder):
            commit_event(self._connection, time_ns, kind, text)

    def _register(self, stream: Stream) -> int:
        """Number of the stream in the session, a new one for a new stream."""
        known = _stream_number(self._connection, stream.id)
        if known is not None:
            return known
        with transaction(self._connection):
            self._connection.execute(
                "INSERT INTO streams (number, id, source, channel) "
                "SELECT COUNT(*), ?, ?, ? FROM streams",
                (stream.id, stream.source, stream.channel),
            )
        return self._register(stream)


def _stream_number(connection: sqlite3.Connection, stream_id: str) -> int | None:
    row = connection.execute(
        "SELECT number FROM streams WHERE id = ?", (stream_id,)
    ).fetchone()
    return None if row is None else int(row[0])


def _insert(
    connection: sqlite3.Connection,
    stream: int,
    frame: Frame,
    times: Mapping[str, int | None],
    data: bytes,
) -> None:
    exposure = exposure_of(connection, stream, frame)
    values = {
        "stream": stream,
        "seq": frame.seq,
        **times,
        "start_ns": frame.start_ns,
        "time_s": exposure.time_s,
        "dose_e_nm2": exposure.dose_e_nm2,
        "rows": frame.shape[0],
        "cols": frame.shape[1],
        "pixel_size_nm": frame.pixel_size_nm,
        "x_nm": frame.origin_nm[0],
        "y_nm": frame.origin_nm[1],
        "completeness": frame.completeness,
        "valid_rows": frame.valid_rows,
        "bytes": len(data),
        "sha256": sha256(data),
    }
    insert_row(connection, "frames", values)
    _found(connection, stream, frame.seq)


def _found(connection: sqlite3.Connection, stream: int, seq: int) -> None:
    """Take a frame out of the gaps that it is in."""
    found = connection.execute(
        "DELETE FROM gaps WHERE stream = ? AND ? BETWEEN first AND last "
        "RETURNING first, last, reason, noticed_ns",
        (stream, seq),
    ).fetchall()
    for first, last, reason, noticed_ns in found:
        for part in ((first, seq - 1), (seq + 1, last)):
            if part[0] <= part[1]:
                connection.execute(INSERT_GAP, (stream, *part, reason, noticed_ns))
