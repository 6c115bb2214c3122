"""The analysis' side of a session: atoms, and which model found them."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from streamer.analysis import Analysis, ModelId
from streamer.errors import SessionError
from streamer.session import atoms_table, attempts
from streamer.session.durable import probe, write_file
from streamer.session.failures import session_failures
from streamer.session.index import insert_row, transaction
from streamer.session.layout import Layout
from streamer.session.records import FrameKey
from streamer.session.roles import Role
from streamer.session.writing import (
    commit_event,
    committed_files,
    frame_number,
    index_for,
    remove_unfinished,
    sha256,
)
from streamer.wire_summary import histogram_fields


class AnalysisRecorder:
    """Commits analyses to a session folder, beside the process that records frames.

    What a method has returned from survives a crash of the process and of the machine.

    Parameters
    ----------
    folder
        A session, or a place for a new one. What a killed analysis left unfinished
        is removed.
    wait_s
        How long another process may take to give the session free.
    wall_ns
        The time, ns since 1970 UTC.

    Raises
    ------
    SessionError
        The folder cannot be used, or another process analyses it.
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
                index_for(folder, Role.ANALYSER, wait_s)
            )
            committed = committed_files(self._connection, self._layout)
            remove_unfinished(self._layout.atoms, committed)
            self._close = stack.pop_all().close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the session free for another analysis."""
        self._close()

    def commit_analysis(self, analysis: Analysis) -> bool:
        """Whether the frame had no analysis yet; one it has on the disk in either case.

        Shape, origin, time and dose are kept with the frame and read from there.

        Raises
        ------
        SessionError
            Its frame is not in the session, or it could not be written; the session
            is as it was, try again.
        """
        with session_failures(self._layout.folder):
            found = frame_number(self._connection, analysis.stream.id, analysis.seq)
            if found is None:
                raise SessionError(
                    f"{self._layout.folder}: an analysis of frame {analysis.seq} of "
                    f"stream {analysis.stream.id}, which is not in the session"
                )
            stream, frame = found
            if _is_analysed(self._connection, frame):
                return False
            data = atoms_table.encode(analysis, stream)
            write_file(self._layout.table(stream, analysis.seq), data)
            with transaction(self._connection):
                now_ns = self._wall_ns()
                _insert(self._connection, frame, analysis, data, now_ns)
                attempts.forget(self._connection, [frame])
        return True

    def check_space(self, nbytes: int) -> None:
        """Try whether the disk takes a file of this size, and the index a row.

        Raises
        ------
        StorageError
            It does not.
        """
        with session_failures(self._layout.folder):
            probe(self._layout.atoms, nbytes)
            with transaction(self._connection):
                self._connection.execute("UPDATE services SET pid = pid")

    def begin(self, keys: Iterable[FrameKey]) -> None:
        """Note, before their analysis, that these frames are tried once more.

        Who dies while at it leaves the note behind; a commit removes it.

        Raises
        ------
        SessionError
            It could not be written.
        """
        with self._frames(keys) as frames:
            attempts.begin(self._connection, frames)

    def take_back(self, keys: Iterable[FrameKey]) -> None:
        """Forget that these were begun: nobody has died of them.

        Raises
        ------
        SessionError
            It could not be written.
        """
        with self._frames(keys) as frames:
            attempts.take_back(self._connection, frames)

    def set_aside(self, key: FrameKey, reason: str) -> None:
        """Do not analyse a frame, until somebody asks for it (`retry`).

        Raises
        ------
        SessionError
            It could not be written.
        """
        with self._frames([key]) as frames:
            attempts.set_aside(self._connection, frames, reason)

    @contextmanager
    def _frames(self, keys: Iterable[FrameKey]) -> Iterator[list[int]]:
        """Transaction about some frames, by their numbers in the index."""
        with (
            session_failures(self._layout.folder),
            transaction(self._connection),
        ):
            found = [frame_number(self._connection, *key) for key in keys]
            yield [frame for _, frame in filter(None, found)]

    def commit_event(self, time_ns: int, kind: str, text: str) -> None:
        """Write down what happened to the analysis, ns since 1970 UTC.

        Raises
        ------
        SessionError
            It could not be written.
        """
        with session_failures(self._layout.folder):
            commit_event(self._connection, time_ns, kind, text)


def _is_analysed(connection: sqlite3.Connection, frame: int) -> bool:
    query = "SELECT 1 FROM analyses WHERE frame = ?"
    return connection.execute(query, (frame,)).fetchone() is not None


def _insert(
    connection: sqlite3.Connection,
    frame: int,
    analysis: Analysis,
    data: bytes,
    committed_ns: int,
) -> None:
    summary = analysis.summary
    values = {
        "frame": frame,
        "model": _model_number(connection, analysis.model),
        "provider": analysis.provider,
        "pixel_size_nm": analysis.pixel_size_nm,
        "flags": json.dumps(analysis.flags),
        "counts": json.dumps(dict(summary.counts)),
        "area_nm2": summary.area_nm2,
        "density_nm2": summary.density_nm2,
        "hole_area_nm2": summary.hole_area_nm2,
        "bond_length_nm": summary.bond_length_nm,
        "mean_crystallinity": summary.mean_crystallinity,
        "lattice_constant_nm": summary.lattice_constant_nm,
        "lattice_constant_sigma_nm": summary.lattice_constant_sigma_nm,
        "estimated_pixel_size_nm": analysis.estimated_pixel_size_nm,
        "histograms": json.dumps(histogram_fields(summary.histograms)),
        "stages_ms": json.dumps(dict(analysis.stages_ms)),
        "latency_s": analysis.latency_s,
        "bytes": len(data),
        "sha256": sha256(data),
        "analysis_committed_ns": committed_ns,
    }
    insert_row(connection, "analyses", values)


def _model_number(connection: sqlite3.Connection, model: ModelId) -> int:
    """Number of the model in the session, a new one for a new model."""
    values = {
        "name": model.name,
        "sha256": model.sha256,
        "latents": json.dumps(model.latents),
        "angle_period_rad": model.angle_period_rad,
    }
    query = "SELECT number FROM models WHERE " + " AND ".join(
        f"{name} = :{name}" for name in values
    )
    row = connection.execute(query, values).fetchone()
    if row is None:
        insert_row(connection, "models", values)
        return _model_number(connection, model)
    return int(row[0])
