"""A hub's analyses from a session on disk."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from dashboard.backfill import Backfill, reach_on_disk
from dashboard.follower import POLL_S, Follower
from dashboard.hub import Hub
from dashboard.missing import Missing
from dashboard.runs import Runs
from dashboard.snapshot import LinkState, channel_name
from streamer.errors import SessionError
from streamer.frame import Stream
from streamer.log_fields import of_frame
from streamer.service_state import Recorded
from streamer.session.reader import SessionReader
from streamer.session.records import StreamRecord
from streamer.session.spool import Spool
from streamer.session.standing import Standing

log = logging.getLogger(__name__)


class SessionFeed:
    """Fills a hub from a session folder, and follows it while it grows.

    The newest frame comes first, so that there is something to see at once.

    Parameters
    ----------
    hub
        Is told of the newest run of each channel, and of every gap.
    folder
        A session.

    Raises
    ------
    SessionError
        It is none.
    """

    def __init__(self, hub: Hub, folder: Path) -> None:
        self._hub = hub
        self._session = SessionReader(folder)
        self._backfill = Backfill(hub, self._session)
        self._runs = Runs(self._session)
        self._standing = Standing(self._session, Spool.of(folder), Recorded.OFF)
        self._name = str(folder)
        self._follower = Follower(hub, self._follow)
        self._seen: dict[str, set[int]] = {}
        self._gaps_seen = 0

    def __enter__(self) -> Self:
        self._follower.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._follower.stop()
        self._session.close()

    def _follow(self, stopping: threading.Event) -> None:
        version, while_open = self._session.version(), LinkState.RECORDED
        self._say(self._read_new(stopping, while_open))
        while not stopping.is_set():
            self._session.check_there()
            if version != (version := self._session.version()):
                self._say(self._read_new(stopping, LinkState.RECEIVING))
            self._hub.report(self._name, self._standing.state())
            self._hub.look()
            stopping.wait(self._backfill.count_some() or POLL_S)

    def _say(self, link: LinkState) -> None:
        """How things stand: what somebody adds to is being recorded."""
        grows = link is LinkState.RECEIVING
        self._standing.recorded = Recorded.YES if grows else Recorded.OFF
        self._hub.set_link(link)
        self._hub.report(self._name, self._standing.state())

    def _read_new(self, stopping: threading.Event, while_open: LinkState) -> LinkState:
        """Show what is new, and tell how things stand after that.

        `while_open` is the answer as long as a stream has not been analysed to its
        end: a session that somebody writes to differs from one whose service has
        died in nothing but that it grows.
        """
        streams = self._session.streams()
        # Of the runs of one channel, the last is shown.
        for record in {channel_name(each.stream): each for each in streams}.values():
            self._read_stream(record, stopping)
        self._hub.set_runs(self._runs.by_channel(streams))
        self._count_gaps(streams)
        ended = all(self._is_complete(record) for record in streams)
        return LinkState.RECORDED if ended else while_open

    def _read_stream(self, record: StreamRecord, stopping: threading.Event) -> None:
        stream = record.stream
        seen = self._seen.setdefault(stream.id, set())
        analysed = [key.seq for key in self._session.analysed(stream.id)]
        new = [seq for seq in analysed if seq not in seen]
        seen.update(new)
        self._show(stream, new, stopping)
        reach = reach_on_disk(self._session, stream)
        if reach is not None:
            self._hub.set_reach(stream, reach)
        if self._is_complete(record):
            self._hub.end(stream)

    def _show(self, stream: Stream, new: list[int], stopping: threading.Event) -> None:
        """Show the newest frame at once, then those that come after what is shown.

        All others have their place in the plots over frames, and are read when
        somebody wants to see them.
        """
        while self._hub.snapshot.running(stream) is None and new:
            self._read_analysis(stream, new.pop())
        channel = self._hub.snapshot.running(stream)
        if channel is None or not new:
            return
        newest = channel.history.newest.seq
        for seq in (seq for seq in new if seq > newest):
            if stopping.is_set():
                return
            self._read_analysis(stream, seq)
        earlier = [seq for seq in new if seq < newest]
        if earlier:
            self._backfill.glance(stream, earlier, stopping)

    def _read_analysis(self, stream: Stream, seq: int) -> None:
        """Show one frame; one that cannot be read is counted as lost."""
        try:
            analysis = self._session.analysis(stream.id, seq)
        except SessionError as error:
            text = "frame %d of %s is left out: %s"
            log.warning(text, seq, stream.id, error, extra=of_frame(stream, seq))
            self._hub.lose(stream, Missing(seq, seq, "cannot be read back"))
        else:
            self._hub.add(analysis)

    def _is_complete(self, record: StreamRecord) -> bool:
        """Whether a stream has ended and all that came of it is analysed."""
        return record.total is not None and record.analyses == record.frames

    def _count_gaps(self, records: Sequence[StreamRecord]) -> None:
        streams = {record.stream.id: record.stream for record in records}
        gaps = self._session.gaps()
        for gap in gaps[self._gaps_seen :]:
            if gap.stream_id not in streams:
                return  # its stream has come since: seen with the next look
            if gap.is_loss:
                missing = Missing(gap.first, gap.last, gap.reason)
                self._hub.lose(streams[gap.stream_id], missing)
            self._gaps_seen += 1
