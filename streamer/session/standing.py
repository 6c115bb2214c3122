"""How a session stands: what its index, its disk and its spool say now."""

import shutil
import statistics
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise

from streamer.errors import SessionError
from streamer.service_state import FREE_STEP_BYTES, Recorded, ServiceState
from streamer.session.reader import SessionReader
from streamer.session.records import FrameKey, Progress
from streamer.session.spool import Spool

LATELY = 20
"""Frames by which it is told how fast the disk fills."""


@dataclass
class Standing:
    """Tells how a session stands, in one thread; another may say what it cannot see.

    The index is asked only when something was committed since the last time. What
    cannot be read is as it was when it could.
    """

    session: SessionReader
    spool: Spool
    recorded: Recorded = Recorded.YES
    """What holds while nothing hinders."""
    refused: str | None = None
    """Why analyses are not kept."""
    shown: frozenset[FrameKey] = frozenset()
    """Frames whose analyses are published and not kept: they do not wait."""
    _version: int | None = field(default=None, init=False)
    _progress: Progress = field(default=Progress(0, 0, 0), init=False)
    _bytes_per_s: float | None = field(default=None, init=False)

    def state(self) -> ServiceState:
        """How the session stands now."""
        with suppress(SessionError):
            self._look_up()
        shortage = self.spool.shortage()
        reason = shortage.reason if shortage else self.refused
        in_memory = [spooled.key for spooled in self.spool.frames()]
        return ServiceState(
            session=self.session.folder.resolve().name,
            received=self._progress.frames + len(in_memory),
            committed=self._progress.frames,
            waiting=self._waiting(in_memory),
            aside=self._progress.aside,
            recorded=Recorded.NO if reason else self.recorded,
            reason=reason,
            free_bytes=self._free_bytes(),
            bytes_per_s=self._bytes_per_s,
        )

    def _look_up(self) -> None:
        version = self.session.version()
        if version != self._version:
            self._progress = self.session.progress()
            self._bytes_per_s = bytes_per_s(self.session.newest(LATELY))
            self._version = version

    def _waiting(self, in_memory: Sequence[FrameKey]) -> int:
        if self.shown:
            with suppress(SessionError):
                return len({*self.session.pending(), *in_memory} - self.shown)
        return self._progress.waiting + len(in_memory)

    def _free_bytes(self) -> int | None:
        with suppress(OSError):
            free = shutil.disk_usage(self.session.folder).free
            return free // FREE_STEP_BYTES * FREE_STEP_BYTES
        return None


def bytes_per_s(newest: Sequence[tuple[int, int]]) -> float | None:
    """How fast a disk fills: the mean size of frames over their median interval.

    Parameters
    ----------
    newest
        (received_ns, bytes) of frames, the newest first.

    Returns
    -------
    None where it cannot be told: fewer than two frames, or all at the same time.
    """
    if len(newest) < 2:
        return None
    between = [late - early for (late, _), (early, _) in pairwise(newest)]
    interval_s = statistics.median(between) * 1e-9
    mean = statistics.fmean(size for _, size in newest)
    return mean / interval_s if interval_s > 0 else None
