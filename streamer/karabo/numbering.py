"""Train ids as places in a stream: which were lost, which came twice, when a run ends.

A state machine without sockets and without a clock. A karabo-bridge says neither when
a run begins nor when it ends, and sends nothing again. What its train ids tell is all
that can be known:

- the next one: the next frame;
- a later one: those between did not come, which is a gap at once;
- the same again, or one that was just given up: thrown away, and said;
- an earlier one, one of a day later, or not an earlier or the same on a connection
  that was made anew: another run, which is a stream of its own.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from uuid import uuid4
from zlib import crc32

from streamer.errors import WireError
from streamer.events import Abandoned, Event, Gap, Joined, Notice
from streamer.frame import Stream
from streamer.karabo.address import KaraboAddress
from streamer.karabo.picture import Name
from streamer.messages import Content

LONGEST_GAP = 864_000
"""Trains of a day at 10 Hz: ids that are farther apart are not of one run."""
LATE = 8
"""How far behind the newest a train may be that is late, and no other run's."""
UNCOUNTED = (
    "frames are numbered as they come, without train ids: what is lost on the way "
    "cannot be known"
)
FOUND = Content.FRAME

_ID = re.compile(r"(?P<bridge>karabo-[0-9a-f]{8}-\d+)-(?P<first>\d+)-[0-9a-f]{8}")


@dataclass
class Run:
    """A stream as it stands."""

    stream: Stream
    first: int | None
    """Train id of frame 0; None where trains are not numbered."""
    next_seq: int = 0

    @property
    def name(self) -> Name:
        """Source and key of its images."""
        return self.stream.source, self.stream.channel

    @classmethod
    def resumed(cls, stream: Stream, next_seq: int) -> Self | None:
        """One of an earlier process, if its id says where it began."""
        found = _ID.fullmatch(stream.id)
        return cls(stream, int(found["first"]), next_seq) if found else None


class Numbering:
    """Gives each train of a bridge its stream and its place in it.

    Parameters
    ----------
    bridge
        Where trains come from, and how many ids lie between two of them.
    known
        Streams of a session that goes on, the oldest first, with what comes next of
        each.
    """

    def __init__(
        self, bridge: KaraboAddress, known: Iterable[tuple[Stream, int]] = ()
    ) -> None:
        self._url, self._step = bridge.url, bridge.step
        place = crc32(bridge.place.url.encode())
        self._origin = f"karabo-{place:08x}-{bridge.step or 0}-"
        self._known = [
            run
            for stream, next_seq in known
            if stream.id.startswith(self._origin)
            and (run := Run.resumed(stream, next_seq)) is not None
        ]
        self._run: Run | None = None
        self._missing = range(0)
        """Seqs of the newest gap."""
        self._is_counted = True

    @property
    def names(self) -> list[Name]:
        """Source and key of the images of `known`."""
        return [run.name for run in self._known]

    def has(self, stream: Stream) -> bool:
        """Whether `stream` came from this bridge, now or before."""
        return stream.id.startswith(self._origin)

    def place(
        self, name: Name, train_id: int | None, *, is_new: bool
    ) -> tuple[Stream, int, list[Event]]:
        """Stream and seq of a train, and what is to be said before it.

        Parameters
        ----------
        name
            Source and key of its image.
        train_id
            None where it has none.
        is_new
            Whether it is the first on its connection.

        Raises
        ------
        WireError
            It is to be thrown away.
        """
        number = None if self._step is None else train_id
        run = self._run or self._before(name)
        seq = None if run is None else self._seq(run, number, is_new=is_new)
        events: list[Event] = []
        if run is None or seq is None:
            if not is_new and _are_all_zero(run, number):
                number = None
            events += self._begin(number)
            run, seq = Run(self._new_stream(name, number), number), 0
            events.append(Joined(run.stream, FOUND))
        elif seq > run.next_seq:
            events.append(self._lose(run, seq))
        self._run, run.next_seq = run, seq + 1
        return run.stream, seq, events

    def _before(self, name: Name) -> Run | None:
        """The run of an earlier process that may go on."""
        return next((run for run in reversed(self._known) if run.name == name), None)

    def _seq(self, run: Run, number: int | None, *, is_new: bool) -> int | None:
        """Place of a train in the run; None: it is of another one."""
        if run.first is None or number is None:
            return run.next_seq if run.first is None and not number else None
        seq, off = divmod(number - run.first, self._step or 1)
        ahead = number - run.first - run.next_seq * (self._step or 1)
        if seq < 0 or ahead > LONGEST_GAP or (is_new and (off or ahead < 0)):
            return None
        if off:
            raise WireError(
                f"train {number}, expected every {self._step}th after {run.first}; say "
                f"step=N in the URL as it is, or step=any"
            )
        if ahead >= 0:
            return seq
        if seq == run.next_seq - 1 and not _are_all_zero(run, number):
            raise WireError(f"train {number} came twice; it is kept once")
        if seq in self._missing and seq >= run.next_seq - LATE:
            raise WireError(f"train {number} came late: it was given up already")
        return None

    def _begin(self, number: int | None) -> Iterable[Event]:
        """What is to be said of the run before, and of how another one is counted."""
        if self._run is not None:
            yield Abandoned(self._run.stream, self._run.next_seq, FOUND)
        is_counted = number is not None
        if is_counted != self._is_counted:
            self._is_counted = is_counted
            yield Notice(self._url, None if is_counted else UNCOUNTED)

    def _new_stream(self, name: Name, number: int | None) -> Stream:
        self._missing = range(0)
        first = "x" if number is None else number
        return Stream(f"{self._origin}{first}-{uuid4().hex[:8]}", *name)

    def _lose(self, run: Run, seq: int) -> Gap:
        """All before `seq` did not come."""
        self._missing = range(run.next_seq, seq)
        first, last = (
            (run.first or 0) + each * (self._step or 1)
            for each in (run.next_seq, seq - 1)
        )
        trains = f"train {first}" if first == last else f"trains {first} to {last}"
        reason = (
            f"{trains} did not come; a karabo-bridge does not send again, nor say "
            "whether there were images in them"
        )
        return Gap(run.stream, run.next_seq, seq - 1, reason, FOUND)


def _are_all_zero(run: Run | None, number: int | None) -> bool:
    """Whether nothing but 0 has come: karabo writes it where it has no number."""
    return number == 0 and run is not None and (run.first, run.next_seq) == (0, 1)
