"""Runs of one channel that a session holds: the one that is shown, and those before."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from dashboard.filling import filled
from dashboard.history import History, frozen, record
from dashboard.scene import Scene
from dashboard.snapshot import Channel, Reach, Run, channel_name
from dashboard.trend import Trends
from streamer.atoms import Atoms

if TYPE_CHECKING:
    from streamer.session.reader import SessionReader
    from streamer.session.records import StreamRecord


def runs_in(
    session: "SessionReader", streams: Iterable["StreamRecord"]
) -> Mapping[str, tuple[Run, ...]]:
    """Runs with an analysed frame, by the name of their channel, the oldest first."""
    runs: dict[str, tuple[Run, ...]] = {}
    for each in streams:
        reach = session.reach(each.stream.id)
        if reach is None:
            continue
        name, first = channel_name(each.stream), reach[0]
        began_ns = session.frame_record(each.stream.id, first).received_ns
        run = Run(each.stream.id, began_ns, each.analyses)
        runs[name] = (*runs.get(name, ()), run)
    return MappingProxyType(runs)


def run_lines(runs: Iterable[Run]) -> Iterator[tuple[str, str]]:
    """Id of each run, and what to call it: "run 2, 24 Nov 14:03, 50 frames"."""
    for number, run in enumerate(runs, 1):
        began = datetime.fromtimestamp(run.began_ns / 1e9, UTC).astimezone()
        when = f"{began.day} {began:%b %H:%M}"
        frames = "1 frame" if run.frames == 1 else f"{run.frames:,} frames"
        yield run.stream_id, f"run {number}, {when}, {frames}"


def alone(scene: Scene) -> Channel:
    """A run of which one frame is known."""
    history = History(
        stream=scene.stream,
        model=scene.model,
        bins=scene.bins,
        records=frozen(record(scene)),
        scenes=(scene,),
    )
    return Channel(history=history, trends=Trends(history), arrived_s=0.0)


def whole_run(session: "SessionReader", scene: Scene, reach: Reach) -> Channel:
    """The run of `scene`, with the numbers of all its frames as the index has them."""
    from dashboard.backfill import without_picture

    run, stream = alone(scene), scene.stream
    records = session.analyses(stream.id, reach.first, reach.last)
    analyses = [
        without_picture(stream, each, Atoms.none(each.model.latents))
        for each in records
    ]
    history = filled(run.history, analyses, counted=False)
    return Channel(
        history=history, trends=Trends(history), arrived_s=0.0, on_disk=reach
    )
