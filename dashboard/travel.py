"""How a page comes from one frame to another: in memory, or on disk."""

from dataclasses import replace
from types import MappingProxyType

from dashboard.archive import Request
from dashboard.bookmark import Bookmark
from dashboard.runs import alone
from dashboard.scene import Scene
from dashboard.snapshot import Channel, LinkState, Reach, Snapshot, channel_name
from dashboard.view import View
from streamer.header import MAX_SEQ

VERBS = ("seek", "step", "first", "last")
"""Wishes for another frame: its number, how many frames on, and both ends."""


def reach_of(channel: Channel) -> Reach:
    """Frames that can be shown."""
    kept = channel.history.scenes
    if channel.on_disk is None:
        return Reach(kept[0].seq, kept[-1].seq)
    last = int(channel.history.records["seq"][-1])
    if channel.superseded:
        last = max(last, channel.on_disk.last)
    return Reach(min(channel.on_disk.first, kept[0].seq), last)


def travelled(view: View, snapshot: Snapshot, verb: object, what: object) -> View:
    """`view` after a wish for another frame; one that makes no sense changes nothing.

    A frame that is not in memory is awaited: see `View.awaited`.
    """
    channel, shown = view.shown_channel(snapshot), view.shown_scene(snapshot)
    if channel is None or shown is None:
        return view
    reach = reach_of(channel)
    # While a frame is being read, the next step goes on from there.
    here = shown.seq if view.awaited is None else view.awaited.seq
    match verb, what:
        case "seek", int(seq):
            return at(view, snapshot, seq, 0)
        case "step", int(by):
            there = min(max(here + by, reach.first), reach.last)
            return view if there == here else at(view, snapshot, there, by)
        case "first", _:
            return at(view, snapshot, reach.first, 1)
        case "last", _:
            return at(view, snapshot, reach.last, -1)
        case _:
            return view


def at(view: View, snapshot: Snapshot, seq: int, toward: int) -> View:
    """Show frame `seq`, or the one that stands in for it; `toward` as in `Request`."""
    channel = view.shown_channel(snapshot)
    if channel is None:
        return view
    reach = reach_of(channel)
    seq = min(max(seq, reach.first), reach.last)
    kept = channel.history.scenes
    found = next((scene for scene in kept if scene.seq == seq), None)
    if found is None and channel.on_disk is not None:
        stream, bins = channel.history.stream, channel.history.bins
        return view.awaiting(Request(stream.id, seq, sign(toward), bins))
    if found is None:
        found = nearest(kept, seq, toward)
    if found is channel.history.newest and is_over(channel, snapshot):
        return view.live()
    return view.holding(found, snapshot)


def in_run(view: View, snapshot: Snapshot, stream_id: str) -> View:
    """`view` after a wish for another run of its channel: at the last frame of it."""
    name, channel = view.name(snapshot), view.shown_channel(snapshot)
    if channel is None or name is None:
        return view
    if stream_id == channel.history.stream.id:
        return view.live()
    if stream_id not in (run.stream_id for run in snapshot.runs.get(name, ())):
        return view
    return view.awaiting(Request(stream_id, MAX_SEQ, -1, {}, whole_run=True))


def nearest(kept: tuple[Scene, ...], seq: int, toward: int) -> Scene:
    """Which of the frames in memory stands in for one that is not."""
    ahead = [each for each in kept if (each.seq - seq) * toward >= 0] or kept
    return min(ahead, key=lambda scene: abs(scene.seq - seq))


def sign(number: int) -> int:
    """-1, 0 or 1."""
    return (number > 0) - (number < 0)


def is_over(channel: Channel, snapshot: Snapshot) -> bool:
    """Whether no more frames are awaited, so that the newest is also the last."""
    over = channel.ended or snapshot.link.state is LinkState.RECORDED
    return over and not channel.superseded


def opened(view: View, snapshot: Snapshot, *, archived: bool) -> View:
    """`view` after its link was followed as far as that can be done by now.

    `archived` tells whether there is a disk on which earlier runs may be.
    """
    mark = view.sought
    if mark is None or not snapshot.channels:
        return view
    name = channel_of(mark, snapshot)
    if name is not None:
        return opened_at(replace(view, channel=name, remark=""), mark, snapshot)
    if mark.run is None and snapshot.link.state is not LinkState.RECORDED:
        return replace(view, remark=f"{mark.channel} has no frame yet")
    if archived and mark.run is not None and mark.frame is not None:
        on = replace(view, channel=mark.channel)
        return on.awaiting(Request(mark.run, mark.frame, 0, {}, whole_run=True))
    return replace(view, sought=None, remark=f"{in_words(mark)} is not here any more")


def channel_of(mark: Bookmark, snapshot: Snapshot) -> str | None:
    """The channel that a link points to; None if it is not there."""
    for name, channel in snapshot.channels.items():
        right_run = mark.run in (None, channel.history.stream.id)
        if right_run and mark.channel in (None, name):
            return name
    return None


def opened_at(view: View, mark: Bookmark, snapshot: Snapshot) -> View:
    """`view`, which is on the right channel, at the frame that a link asks for."""
    channel, seq = view.shown_channel(snapshot), mark.frame
    if channel is None or seq is None:
        return replace(view, sought=None)
    newest = channel.history.newest.seq
    if seq > newest and not is_over(channel, snapshot):
        return replace(view, remark=f"Frame {seq:,} has not come yet")
    there = at(view, snapshot, seq, 0)
    shown = there.shown_scene(snapshot)
    if there.awaited is not None or shown is None or shown.seq == seq:
        return replace(there, sought=None)
    why = "does not exist" if seq > newest else "is not in memory any more"
    remark = f"Frame {seq:,} {why}; this is frame {shown.seq:,}"
    return replace(there, sought=None, remark=remark)


def in_words(mark: Bookmark) -> str:
    """What a link points to."""
    frame = "What this link shows" if mark.frame is None else f"Frame {mark.frame:,}"
    of = "" if mark.channel is None else f" of {mark.channel}"
    run = "" if mark.run is None else f", run {mark.run[:8]},"
    return f"{frame}{of}{run}"


def in_its_run(
    held: Scene, snapshot: Snapshot, then: Channel | None, reach: Reach | None
) -> Snapshot:
    """`snapshot` as a page sees it that holds a frame of an earlier run.

    Parameters
    ----------
    held
        The frame.
    then
        Its run as it was before another took its place; None if it was never seen.
    reach
        Frames of that run that can be read from disk, as far as is known.
    """
    run = then if then is not None and is_of(held, then) else alone(held)
    history = replace(run.history, scenes=(held,))
    on_disk = run.on_disk or reach
    shown = replace(run, history=history, on_disk=on_disk, ended=True, superseded=True)
    channels = {**snapshot.channels, channel_name(held.stream): shown}
    return replace(snapshot, channels=MappingProxyType(channels))


def is_of(held: Scene, channel: Channel) -> bool:
    """Whether a frame is one of the run that a channel shows."""
    return channel.history.stream.id == held.stream.id
