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

if TYPE_CHECKING:
    from streamer.session.reader import SessionReader
    from streamer.session.records import StreamRecord


class Runs:
    """Finds the runs of a session; of each it asks only once when it began.

    Parameters
    ----------
    session
        Stays the caller's.
    """

    def __init__(self, session: "SessionReader") -> None:
        self._session = session
        self._began_ns: dict[str, int] = {}

    def by_channel(
        self, streams: Iterable["StreamRecord"]
    ) -> Mapping[str, tuple[Run, ...]]:
        """Runs with an analysed frame, by the name of their channel, the oldest first.

        The same from frame to frame: no page is to be sent anything because of it.
        """
        found: dict[str, list[StreamRecord]] = {}
        for each in streams:
            if each.analyses:
                found.setdefault(channel_name(each.stream), []).append(each)
        return MappingProxyType(
            {name: self._runs(records) for name, records in found.items()}
        )

    def _runs(self, records: "list[StreamRecord]") -> tuple[Run, ...]:
        newest = records[-1]
        return tuple(
            Run(
                each.stream.id,
                self._began(each.stream.id),
                None if each is newest else each.analyses,
            )
            for each in records
        )

    def _began(self, stream_id: str) -> int:
        if stream_id not in self._began_ns:
            first = self._session.analysed(stream_id)[0].seq
            record = self._session.frame_record(stream_id, first)
            self._began_ns[stream_id] = record.received_ns
        return self._began_ns[stream_id]


def run_lines(runs: Iterable[Run], newest: int) -> Iterator[tuple[str, str]]:
    """Id of each run, and what to call it: "run 2, 24 Nov 14:03, 50 frames".

    `newest` is how many frames the newest has.
    """
    for number, run in enumerate(runs, 1):
        began = datetime.fromtimestamp(run.began_ns / 1e9, UTC).astimezone()
        when = f"{began.day} {began:%b %H:%M}"
        count = newest if run.frames is None else run.frames
        frames = "1 frame" if count == 1 else f"{count:,} frames"
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
    return Channel(
        history=history, trends=Trends(history), arrived_s=0.0, published_s=0.0
    )


def whole_run(session: "SessionReader", scene: Scene, reach: Reach) -> Channel:
    """The run of `scene`, with the numbers of all its frames as the index has them."""
    # What reads files is not needed where no session is.
    from dashboard.backfill import glanced

    stream = scene.stream
    records = session.analyses(stream.id, reach.first, reach.last)
    known = alone(scene).history
    history = filled(known, glanced(stream, records), counted=False)
    return Channel(
        history=history,
        trends=Trends(history),
        arrived_s=0.0,
        published_s=0.0,
        on_disk=reach,
    )
