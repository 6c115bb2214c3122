"""Receives analyses in a thread of its own, which never waits for who shows them."""

import logging
from dataclasses import dataclass, replace
from threading import Event, Thread

import zmq

from streamer import events
from streamer.analysis import Analysis
from streamer.messages import Content
from streamer.start import Start
from streamer.subscriber import Subscriber

from .mailbox import Mailbox
from .results_settings import ResultsSettings, security_of

log = logging.getLogger(__name__)

POLL_S = 0.2
"""How long it may take until it notices that it shall stop."""
RETRY_S = 5.0
"""After which it tries again: a host may be unknown, or keys away, for a while."""


@dataclass(frozen=True, slots=True)
class Heeded:
    """What has been heard so far, for people."""

    is_heard: bool = False
    """Whether the service is there."""
    received: int = 0
    """Analyses."""
    problem: str = ""
    """Why nothing comes, or what was wrong with what came last."""


class Reception:
    """Subscribes to a service's analyses and puts them into a mailbox."""

    def __init__(self, settings: ResultsSettings, mailbox: Mailbox) -> None:
        self._settings, self._mailbox = settings, mailbox
        self.heeded = Heeded()
        self._closed = Event()
        self._thread = Thread(target=self._run, name="atomstream results", daemon=True)
        self._thread.start()

    def close(self, wait_s: float = 0.0) -> None:
        """Say good-bye, in its own thread; return after `wait_s` at most."""
        self._closed.set()
        self._thread.join(wait_s)

    def _run(self) -> None:
        with zmq.Context() as context:
            while not self._closed.is_set():
                try:
                    self._receive(context)
                except Exception as error:  # noqa: BLE001 - Nion Swift must not feel it
                    log.warning("atomstream: results: %s", error)
                    text = str(error) or type(error).__name__
                    self.heeded = replace(self.heeded, is_heard=False, problem=text)
                    self._closed.wait(RETRY_S)

    def _receive(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        """Receive until closed; looks up the host's name, which may take long."""
        url = self._settings.address
        with Subscriber(
            context,
            [url],
            security={url: security_of(self._settings)},
            start=Start.newest(1),
            topics=(f"{Content.ANALYSIS}/",),
        ) as subscriber:
            while not self._closed.is_set():
                if event := subscriber.receive(POLL_S):
                    self._take(event)

    def _take(self, event: events.Event) -> None:
        match event:
            case events.Received(Analysis() as analysis):
                self._mailbox.put(analysis)
                received = self.heeded.received + 1
                self.heeded = replace(self.heeded, received=received, problem="")
            case events.Joined(stream):
                self._mailbox.join(stream)
            case events.Heard():
                self.heeded = replace(self.heeded, is_heard=True, problem="")
            case events.Silent(url, _, reason):
                text = (
                    f"nothing comes from {url}: {reason or 'is the service running?'}"
                )
                self.heeded = replace(self.heeded, is_heard=False, problem=text)
            case events.Hindered(_, reason) | events.Rejected(_, reason):
                self.heeded = replace(self.heeded, problem=reason)
            case _:
                pass
