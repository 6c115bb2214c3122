"""A hub's analyses from running services."""

import logging
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Self

import zmq

from dashboard.follower import POLL_S, Follower
from dashboard.hub import Hub
from dashboard.missing import Missing
from dashboard.snapshot import LinkState
from streamer.analysis import Analysis
from streamer.errors import AtomstreamError
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
from streamer.messages import Content
from streamer.security import Connecting
from streamer.start import Start
from streamer.subscriber import Subscriber

log = logging.getLogger(__name__)

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
        self._rejected: Counter[str] = Counter()
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
                self._hub.add(analysis, event.age_s)
            case Gap(stream, first, last, reason) if event.is_loss:
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
                self._say_rejected(url, reason)
            case _:
                pass

    def _say_rejected(self, url: str, reason: str) -> None:
        """Log the first that was thrown away, then when it was 2, 4, 8 … of them."""
        self._rejected[url] += 1
        count = self._rejected[url]
        if count == 1:
            log.warning("a message from %s was thrown away: %s", url, reason)
        elif count.bit_count() == 1:
            words = "%d messages from %s were thrown away, the last: %s"
            log.warning(words, count, url, reason)

    def _say_who_is_heard(self) -> None:
        if self._silent:
            self._hub.set_link(
                LinkState.SILENT, ", ".join(sorted(self._silent.values()))
            )
        else:
            self._hub.set_link(LinkState.RECEIVING)
