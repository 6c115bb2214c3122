"""Where one page is among the frames, and how it gets to another one."""

from dataclasses import replace

from dashboard.archive import Request, Visitor
from dashboard.bookmark import Bookmark, Zoom
from dashboard.scene import Scene
from dashboard.snapshot import Channel, Reach, Snapshot
from dashboard.travel import (
    VERBS,
    channel_of,
    in_its_run,
    in_run,
    is_of,
    opened,
    travelled,
)
from dashboard.view import View

TURNS = ("pause", "live", "run", "channel", *VERBS)
"""Wishes after which a viewer is elsewhere than a link would lead."""


class Traveller:
    """Holds a page's view, has frames read from disk, and follows its link.

    Parameters
    ----------
    sought
        What the page's address asks for.
    visitor
        Who brings frames that are not in memory; None if there is no disk to have
        them from.
    """

    def __init__(self, sought: Bookmark | None, visitor: Visitor | None) -> None:
        self.view = View(sought=sought)
        self._visitor = visitor
        self._zoom = sought.zoom if sought else None
        self._against = sought.against if sought else None
        self._reference: Request | None = None
        self._run: Channel | None = None
        self._reach: Reach | None = None

    @property
    def arrived(self) -> bool:
        """Whether nothing is awaited or looked for."""
        return self.view.awaited is None and self.view.sought is None

    def arrive(self, snapshot: Snapshot) -> None:
        """Go where a link points, and to what has come from disk."""
        before = self.view
        answer = None if self._visitor is None else self._visitor.take()
        if answer is not None and answer.request is before.awaited:
            self.view = before.told(answer, snapshot)
            self._reach = answer.reach
            self._run = answer.run or self._run
        elif answer is not None and answer.request is self._reference:
            remark = answer.problem or before.remark
            self.view = replace(before.compared_with(answer.scene), remark=remark)
        archived = self._visitor is not None
        self.view = opened(self.view, snapshot, archived=archived)
        self._fetch(before)
        if self.arrived and self._against is not None:
            self._compare(self._against, self.in_its_run(snapshot))

    def grant(
        self, wish: tuple[object, object], snapshot: Snapshot, seen: Scene
    ) -> None:
        """Do what the viewer asks for, who has `seen` a frame of `snapshot`."""
        view = self.view
        if wish[0] in TURNS:
            # The viewer has gone on: a link that could not be followed is let go.
            self._zoom = self._against = None
            view = self.view = replace(view, sought=None)
        match wish:
            case "pause", _:
                self.view = view.paused(seen)
            case "live", _:
                self.view = view.live()
            case "compare", _:
                self.view = view.compared_with(None if view.reference else seen)
            case "run", str(stream_id):
                self.view = in_run(view, snapshot, stream_id)
                self._fetch(view)
            case "channel", str(name) if name in snapshot.channels:
                self.view = view.of(name)
            case verb, what if verb in VERBS:
                self.view = travelled(view, self.in_its_run(snapshot), verb, what)
                self._fetch(view)

    def in_its_run(self, snapshot: Snapshot) -> Snapshot:
        """`snapshot`, but of the run that the frame which is held belongs to."""
        channel, held = self.view.shown_channel(snapshot), self.view.held
        if channel is None or held is None or is_of(held, channel):
            self._run = channel
            return snapshot
        seen = in_its_run(held, snapshot, self._run, self._reach)
        self._run = self.view.shown_channel(seen)
        return seen

    def zoom(self, snapshot: Snapshot) -> Zoom | None:
        """The part of a frame that a link asks for; once, then the viewer moves it.

        Where the channel of the link is not there yet, it has to wait for that.
        """
        sought = self.view.sought
        if sought is not None and channel_of(sought, snapshot) is None:
            return None
        zoom, self._zoom = self._zoom, None
        return zoom

    def _compare(self, seq: int, snapshot: Snapshot) -> None:
        """Take frame `seq` of the same run away, as a link asks, if it is there."""
        channel = self.view.shown_channel(snapshot)
        if channel is None:
            return
        self._against = None
        kept = (each for each in channel.history.scenes if each.seq == seq)
        found = next(kept, None)
        if found is not None:
            self.view = self.view.compared_with(found)
        elif self._visitor is not None:
            history = channel.history
            self._reference = Request(history.stream.id, seq, 0, history.bins)
            self._visitor.ask(self._reference)
        else:
            remark = f"Frame {seq:,}, to compare with, is not in memory any more"
            self.view = replace(self.view, remark=remark)

    def _fetch(self, before: View) -> None:
        """Have what is awaited now, and was not before, read from disk."""
        awaited = self.view.awaited
        if self._visitor is None or awaited is None or awaited is before.awaited:
            return
        self._visitor.ask(awaited)
