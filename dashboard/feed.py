"""Where a hub's analyses come from: a running service, or a session on disk."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Self

import zmq

from dashboard.backfill import Backfill, reach_on_disk
from dashboard.hub import Hub
from dashboard.missing import Missing
from dashboard.runs import Runs
from dashboard.snapshot import LinkState, channel_name
from streamer.analysis import Analysis
from streamer.errors import AtomstreamError, SessionError
from streamer.events import (
    Abandoned,
    Ended,
    Event,
    Gap,
    Heard,
    Hindered,
    Notice,
    Received,
    Rejected,
    Silent,
    Stands,
)
from streamer.frame import Stream
from streamer.messages import Content
from streamer.security import Connecting
from streamer.service_state import Recorded
from streamer.session.reader import SessionReader
from streamer.session.records import StreamRecord
from streamer.session.spool import Spool
from streamer.session.standing import Standing
from streamer.start import Start
from streamer.subscriber import Subscriber

log = logging.getLogger(__name__)

POLL_S = 0.2
"""How long it may take until a feed notices that it shall stop."""

KEEP = 600
"""Analyses before the newest that a dashboard which comes late asks for."""


class LiveFeed:
    """Fills a hub with what services publish, from a thread of its own.

    Parameters
    ----------
    hub
        Is told of every analysis, gap and end, and of the state of the connection.
    urls
        Where services publish analyses; they need not be there yet.
    security
        As for `Subscriber`.

    Raises
    ------
    LinkError
        An address cannot be one.
    SecurityError
        A key is missing, or an address needs one.
    """

    def __init__(
        self,
        hub: Hub,
        urls: Sequence[str],
        security: Mapping[str, Connecting] = MappingProxyType({}),
    ) -> None:
        self._hub = hub
        self._silent: dict[str, str] = {}
        self._context = zmq.Context()
        try:
            self._subscriber = Subscriber(
                self._context,
                urls,
                security=security,
                start=Start.newest(KEEP),
                topics=(f"{Content.ANALYSIS}/",),
            )
        except AtomstreamError:
            self._context.term()
            raise
        self._follower = Follower(hub, self._follow)

    def __enter__(self) -> Self:
        self._follower.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._follower.stop()
        self._subscriber.close()
        self._context.term()

    def _follow(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            event = self._subscriber.receive(POLL_S)
            if event is None:
                self._hub.look()
            else:
                self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Received(Analysis() as analysis):
                self._hub.add(analysis)
            case Gap(stream, first, last, reason):
                self._hub.lose(stream, Missing(first, last, reason))
            case Ended(stream) | Abandoned(stream):
                self._hub.end(stream)
            case Heard(url):
                self._silent.pop(url, None)
                self._say_who_is_heard()
            case Silent(url, _, reason):
                self._silent[url] = f"{url} ({reason})" if reason else url
                self._say_who_is_heard()
            case Notice(url, text):
                self._hub.warn(url, text)
            case Stands(url, state):
                self._hub.report(url, state)
            case Hindered(url, reason):
                log.warning("no new connection to %s: %s", url, reason)
            case Rejected(url, reason):
                log.warning("a message from %s was thrown away: %s", url, reason)
            case _:
                pass

    def _say_who_is_heard(self) -> None:
        if self._silent:
            self._hub.set_link(
                LinkState.SILENT, ", ".join(sorted(self._silent.values()))
            )
        else:
            self._hub.set_link(LinkState.RECEIVING)


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
            log.warning("frame %d of %s is left out: %s", seq, stream.id, error)
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
            missing = Missing(gap.first, gap.last, gap.reason)
            self._hub.lose(streams[gap.stream_id], missing)
            self._gaps_seen += 1


class Follower:
    """Calls `follow` on a thread of its own; it returns when its event is set.

    When it fails instead, the pages of `hub` say so: they would seem live otherwise.
    """

    def __init__(self, hub: Hub, follow: Callable[[threading.Event], None]) -> None:
        self._hub = hub
        self._follow = follow
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Return when `follow` has returned."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._follow(self._stopping)
        except AtomstreamError as error:
            log.error("the dashboard is fed no more: %s", error)
            self._hub.set_link(LinkState.FAILED, str(error))
        except Exception as error:
            self._hub.set_link(LinkState.FAILED, f"{type(error).__name__}: {error}")
            raise
