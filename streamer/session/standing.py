"""How a session stands: what its index, its disk and its spool say now."""

import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise

from streamer.errors import SessionError
from streamer.service_state import FREE_STEP_BYTES, Recorded, ServiceState
from streamer.session.reader import SessionReader
from streamer.session.records import FrameKey, FrameRecord, Progress
from streamer.session.spool import Spool, Spooled

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
    restarts: Callable[[], Mapping[str, int]] | None = None
    """Tells how often each process of the service was started again."""
    _version: int | None = field(default=None, init=False)
    _progress: Progress = field(default=Progress(0, 0, 0), init=False)
    _bytes_per_s: float | None = field(default=None, init=False)
    _link_s: float | None = field(default=None, init=False)

    def state(self) -> ServiceState:
        """How the session stands now."""
        with suppress(SessionError):
            self._look_up()
        shortage = self.spool.shortage()
        reason = shortage.reason if shortage else self.refused
        spooled = self.spool.frames()
        in_memory = [each.key for each in spooled]
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
            oldest_waiting_ns=self._oldest_waiting_ns(spooled),
            oldest_unrecorded_ns=oldest_ns(spooled),
            link_s=self._link_s,
            restarts=self.restarts() if self.restarts else None,
        )

    def _look_up(self) -> None:
        version = self.session.version()
        if version != self._version:
            self._progress = self.session.progress()
            self._bytes_per_s = bytes_per_s(self.session.newest(LATELY))
            self._link_s = link_s(self.session.newest_frame())
            self._version = version

    def _waiting(self, in_memory: Sequence[FrameKey]) -> int:
        if self.shown:
            with suppress(SessionError):
                return len({*self.session.pending(), *in_memory} - self.shown)
        return self._progress.waiting + len(in_memory)

    def _oldest_waiting_ns(self, spooled: Sequence[Spooled]) -> int | None:
        """What was shown and is not kept waits for the disk, not for an analysis."""
        unseen = [each for each in spooled if each.key not in self.shown]
        there = (self._oldest_on_disk_ns(), oldest_ns(unseen))
        return min((each for each in there if each is not None), default=None)

    def _oldest_on_disk_ns(self) -> int | None:
        if not self.shown:
            return self._progress.oldest_waiting_ns
        with suppress(SessionError):
            for key in self.session.pending():
                if key not in self.shown:
                    return self.session.frame_record(*key).received_ns
        return None

    def _free_bytes(self) -> int | None:
        with suppress(OSError):
            free = shutil.disk_usage(self.session.folder).free
            return free // FREE_STEP_BYTES * FREE_STEP_BYTES
        return None


def oldest_ns(spooled: Sequence[Spooled]) -> int | None:
    """When the first of some frames came; None without any."""
    return min((each.received_ns for each in spooled), default=None)


def link_s(newest: FrameRecord | None) -> float | None:
    """From sending to arrival of a frame; None where nobody said when it was sent."""
    if newest is None or newest.sent_ns is None:
        return None
    return (newest.received_ns - newest.sent_ns) * 1e-9


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
