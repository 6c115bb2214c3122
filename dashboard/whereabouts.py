"""What the page says of the frame that is shown: which one, and how far one can go."""

from dashboard.difference import refusal
from dashboard.scene import Scene
from dashboard.snapshot import Channel, Progress, Snapshot
from dashboard.travel import is_over, reach_of
from dashboard.view import Mode, View
from streamer.frame import Completeness

MINUS = "\N{MINUS SIGN}"


def whereabouts(view: View, snapshot: Snapshot) -> dict[str, str]:
    """Texts by the id of the element that shows them."""
    channel, scene = view.shown_channel(snapshot), view.shown_scene(snapshot)
    over = channel is not None and is_over(channel, snapshot)
    return {
        "behind": behind(view, snapshot, channel),
        "loading": loading(view, channel),
        "progress": progress(snapshot.progress),
        "remark": view.remark or cannot_compare(view, scene),
        "picture": picture(view, scene),
        "scan": ""
        if (growing := under_scan(view, snapshot)) is None
        else scan(growing),
        "live": "To the last frame" if over else "Back to live",
        "compare": "Compare" if view.reference is None else "End comparison",
    }


def behind(view: View, snapshot: Snapshot, channel: Channel | None) -> str:
    """How far the frame that is shown is from the newest."""
    if channel is not None and channel.superseded:
        return "an earlier run"
    count = view.behind(snapshot)
    return f"{count:,} behind" if count else ""


def loading(view: View, channel: Channel | None) -> str:
    """The frame that is awaited; else which frames can be shown, and where they are."""
    if view.awaited is not None:
        return f"loading frame {view.awaited.seq:,}…"
    if channel is None:
        return ""
    reach = reach_of(channel)
    where = "in memory" if channel.on_disk is None else "recorded"
    return f"{reach.first:,}\N{EN DASH}{reach.last:,} {where}"


def progress(progress: Progress | None) -> str:
    """How far the reading of a session has come."""
    if progress is None:
        return ""
    return f"reading atoms: {progress.done:,} of {progress.total:,} frames"


def picture(view: View, scene: Scene | None) -> str:
    """What the first map shows."""
    reference = view.reference
    if scene is None or reference is None or refusal(scene, reference):
        return "Frame"
    of = "" if same_run(scene, reference) else " of an earlier run"
    return f"Frame {scene.seq:,} {MINUS} {reference.seq:,}{of}"


def cannot_compare(view: View, scene: Scene | None) -> str:
    """Why the frame is shown although a comparison is wished."""
    if scene is None or view.reference is None:
        return ""
    return refusal(scene, view.reference)


def same_run(scene: Scene, reference: Scene) -> bool:
    """Whether two frames are of one stream."""
    return scene.stream.id == reference.stream.id


def under_scan(view: View, snapshot: Snapshot) -> Scene | None:
    """The frame whose progress is told: the one that is shown, or a newer one.

    A source may send what is being scanned in a channel of its own.
    """
    channel, shown = view.shown_channel(snapshot), view.shown_scene(snapshot)
    if channel is None or shown is None or view.mode is not Mode.LIVE:
        return shown
    source = channel.history.stream.source
    growing = [
        each
        for each in snapshot.channels.values()
        if each.history.stream.source == source
        and not each.ended
        and each.arrived_s > channel.arrived_s
        and each.history.newest.completeness is Completeness.PARTIAL
    ]
    newest = max(growing, key=lambda each: each.arrived_s, default=channel)
    return newest.history.newest


def scanned_share(scene: Scene) -> float | None:
    """Rows that had been scanned over all; None if those are all, or nobody says."""
    return None if scene.rows_so_far is None else scene.rows_so_far / scene.shape[0]


def scan(scene: Scene) -> str:
    """How much of the frame had been scanned; empty for all of it."""
    if scene.completeness is Completeness.COMPLETE:
        return ""
    going_on = scene.completeness is Completeness.PARTIAL
    begin = "scanning" if going_on else "the scan was stopped"
    if scene.rows_so_far is None:
        return begin
    return f"{begin}: {scene.rows_so_far:,} of {scene.shape[0]:,} rows"
