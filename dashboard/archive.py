"""Frames that have left the memory, read again from a session on disk."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dashboard.bins import Bins
from dashboard.history import first_bins
from dashboard.runs import whole_run
from dashboard.scene import Scene, scene
from dashboard.snapshot import Channel, Reach
from streamer.errors import AtomstreamError, SessionError
from streamer.log_fields import of_stream_id

if TYPE_CHECKING:
    from streamer.session.reader import SessionReader

log = logging.getLogger(__name__)

SCENE_BYTES = 96 * 2**20
"""Memory for frames that were read: a hundred of them, for all pages together."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A frame that somebody wants to see; each is another one, even if equal."""

    stream_id: str
    seq: int
    toward: int
    """Where there is no such frame: -1 for the last before it, 1 for the first after
    it, 0 for the nearest."""
    bins: Mapping[str, Bins]
    """To count its atoms in."""
    whole_run: bool = False
    """Whether the numbers of all frames of its run are wanted too."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What came of a request."""

    request: Request
    scene: Scene | None = None
    """None if it could not be read."""
    reach: Reach | None = None
    """Frames of that stream that can be read."""
    run: Channel | None = None
    """All of it, without pictures, if that was asked for."""
    problem: str = ""
    """Why it could not be read."""


class Visitor:
    """One page's place at an archive: its newest request counts, and no other."""

    def __init__(self, archive: "Archive") -> None:
        self._archive = archive
        self._answer: Answer | None = None
        self._ready: Callable[[], None] = lambda: None

    def listen(self, ready: Callable[[], None]) -> None:
        """Call `ready`, on the archive's thread, whenever there is an answer."""
        self._ready = ready
        if self._answer is not None:
            ready()

    def ask(self, request: Request) -> None:
        """Have a frame read instead of what was asked for before."""
        self._archive.put(self, request)

    def take(self) -> Answer | None:
        """The newest answer that was not taken yet."""
        answer, self._answer = self._answer, None
        return answer

    def tell(self, answer: Answer) -> None:
        """Have `answer` taken."""
        self._answer = answer
        self._ready()


class Archive:
    """Reads frames of a session folder on a thread of its own, for many pages.

    The folder need not be a session yet: it is looked for when a frame is wanted.

    Parameters
    ----------
    folder
        Where a service records.
    scene_bytes
        Memory for frames that were read.
    """

    def __init__(self, folder: Path, scene_bytes: int = SCENE_BYTES) -> None:
        self.folder = folder
        self._scene_bytes = scene_bytes
        self._scenes: OrderedDict[tuple[str, int], Scene] = OrderedDict()
        self._session: SessionReader | None = None
        self._asked: dict[Visitor, Request] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="archive")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()
        self._close()

    def visitor(self) -> Visitor:
        """A place for one page."""
        return Visitor(self)

    def put(self, visitor: Visitor, request: Request) -> None:
        """Have `request` answered; those who asked before are answered before."""
        with self._changed:
            self._asked[visitor] = request
            self._changed.notify()

    def _run(self) -> None:
        while (asked := self._next()) is not None:
            visitor, request = asked
            visitor.tell(self._answer(request))

    def _next(self) -> tuple[Visitor, Request] | None:
        """Whom to answer; None when told to stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._asked or self._stopping)
            if self._stopping:
                return None
            visitor = next(iter(self._asked))
            return visitor, self._asked.pop(visitor)

    def _answer(self, request: Request) -> Answer:
        try:
            return self._read(request)
        except AtomstreamError as error:
            self._close()
            return Answer(request, problem=unreadable(request, str(error)))
        except Exception as error:  # whatever it is, the next can be read
            about = of_stream_id(request.stream_id, request.seq)
            text = "frame %d of %s"
            log.exception(text, request.seq, request.stream_id, extra=about)
            return Answer(request, problem=unreadable(request, type(error).__name__))

    def _read(self, request: Request) -> Answer:
        """The frame that was asked for, or the one that stands in for it.

        Raises
        ------
        AtomstreamError
            There is no session, no such stream in it, or the frame is damaged.
        """
        session = self._opened()
        reach = session.reach(request.stream_id)
        if reach is None:
            raise SessionError(f"{self.folder} has no analysed frame of this run")
        seq = chosen(request, *session.nearest_analysed(request.stream_id, request.seq))
        found = self._scenes.get((request.stream_id, seq))
        if found is None:
            analysis = session.analysis(request.stream_id, seq)
            found = scene(analysis, {**first_bins(analysis), **request.bins})
        self._keep(found)
        there = Reach(*reach)
        run = whole_run(session, found, there) if request.whole_run else None
        return Answer(request, found, there, run)

    def _opened(self) -> "SessionReader":
        if self._session is None:
            # What reads files is not needed where no session is.
            from streamer.session.reader import SessionReader

            self._session = SessionReader(self.folder)
        self._session.check_there()
        return self._session

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _keep(self, scene: Scene) -> None:
        """Remember `scene` as the last that was wanted, and forget the first."""
        key = scene.stream.id, scene.seq
        self._scenes[key] = scene
        self._scenes.move_to_end(key)
        size = sum(each.nbytes for each in self._scenes.values())
        while size > self._scene_bytes and len(self._scenes) > 1:
            size -= self._scenes.popitem(last=False)[1].nbytes


def chosen(request: Request, before: int | None, after: int | None) -> int:
    """Which of two frames around the one that was asked for stands in for it.

    At least one of them is there.
    """
    around = [seq for seq in (before, after) if seq is not None]
    if request.toward:
        return around[0] if request.toward < 0 else around[-1]
    return min(around, key=lambda seq: abs(seq - request.seq))


def unreadable(request: Request, why: str) -> str:
    """What to say of a frame that cannot be shown."""
    return f"Frame {request.seq:,} cannot be read: {why}"
