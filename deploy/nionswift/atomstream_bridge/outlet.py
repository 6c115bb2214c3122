"""Sends what the acquisition threads hand over, in a thread of its own."""

import logging
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, Thread
from typing import TypeAlias

import numpy as np
import zmq
from numpy.typing import NDArray

from streamer.errors import AtomstreamError
from streamer.keys import KeyFolder
from streamer.publisher import Publisher
from streamer.security import PLAIN, CurveServer

from .framing import frame_of, own_rows
from .handover import Handover
from .runs import Over, Place, Step
from .settings import MIB, BridgeSettings
from .update import Update

log = logging.getLogger(__name__)

WAITING_BYTES = 512 * MIB
"""What may wait for the sending thread, which waits for nobody: only a computer that
gives it no time at all fills this."""
CLOSING_S = 5.0
MOST_ERRORS = 64
"""Different ones of which it is counted how often they came."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A frame that is to be sent."""

    place: Place
    update: Update
    image: NDArray[np.generic]


Job: TypeAlias = "Delivered | Over | None"
"""None: there will be no more."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What has been done so far, for people."""

    sent: int = 0
    dropped: int = 0
    """Frames for which there was no room; their numbers are in the stream, missing."""
    failed: int = 0
    """Frames that could not be sent, and events that could not be read."""
    waiting: int = 0
    subscribers: int = 0
    kept_bytes: int = 0
    last_error: str = ""


class Outlet:
    """A publisher, and the thread that feeds it.

    Raises
    ------
    AtomstreamError
        The address or the keys cannot be used.
    """

    def __init__(
        self, settings: BridgeSettings, waiting_bytes: int = WAITING_BYTES
    ) -> None:
        keys = settings.key_folder
        security = CurveServer(KeyFolder(Path(keys).expanduser())) if keys else PLAIN
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        try:
            self._publisher = Publisher(
                self._context,
                settings.address,
                security=security,
                retention_bytes=settings.retention_mib * MIB,
                option="another address in the panel",
            )
        except AtomstreamError:
            self._context.destroy(0)
            raise
        self.url = self._publisher.url
        """Where subscribers connect."""
        self._counters, self._lock = Counters(), Lock()
        self._errors: Counter[str] = Counter()
        self._queue: Handover[Job] = Handover(waiting_bytes)
        self._thread = Thread(target=self._send_all, name="atomstream", daemon=True)
        self._thread.start()

    def take(
        self, steps: list[Step], update: Update, data: NDArray[np.generic]
    ) -> None:
        """Have these steps done; `data` may change as soon as this returns."""
        for step in steps:
            if isinstance(step, Over):
                self._queue.put(step)
            elif self._queue.has_room(data.nbytes):
                image = own_rows(data, step)
                self._queue.put(Delivered(step, update, image), image.nbytes)
            else:
                self._count(dropped=1)

    def end(self, steps: list[Step]) -> None:
        """Have streams ended."""
        for step in steps:
            if isinstance(step, Over):
                self._queue.put(step)

    def note(self, error: Exception, what: str) -> None:
        """Remember what went wrong, and go on."""
        text = f"{what}: {str(error) or type(error).__name__}"
        self._count(failed=1)
        with self._lock:
            self._counters = replace(self._counters, last_error=text)
            if text not in self._errors and len(self._errors) >= MOST_ERRORS:
                self._errors.clear()
            self._errors[text] += 1
            times = self._errors[text]
        # What cannot be read comes 20 times a second: said when it was 2, 4, 8 … times.
        if times == 1:
            log.warning("atomstream: %s", text)
        elif times.bit_count() == 1:
            log.warning("atomstream: %s (%d times)", text, times)

    def counters(self) -> Counters:
        """What has been done so far."""
        told = self._publisher.statistics()
        return replace(
            self._counters,
            waiting=len(self._queue),
            subscribers=told.subscribers,
            kept_bytes=told.kept_bytes,
        )

    def close(self) -> None:
        """Send what waits, for a few seconds at most, and give the address back."""
        self._queue.put(None)
        self._thread.join(CLOSING_S)
        self._publisher.close()
        self._context.destroy(0)

    def _send_all(self) -> None:
        while (job := self._queue.take()) is not None:
            try:
                self._send(job)
            except Exception as error:  # noqa: BLE001 - the next one is sent
                self.note(error, "a frame could not be sent")

    def _send(self, job: Delivered | Over) -> None:
        if isinstance(job, Over):
            self._publisher.end(job.stream)
            return
        self._publisher.send(frame_of(job.place, job.update, job.image))
        self._count(sent=1)
        if self._counters.dropped:
            self._publisher.tell(f"Nion Swift: {self._counters.dropped} frames dropped")

    def _count(self, sent: int = 0, dropped: int = 0, failed: int = 0) -> None:
        with self._lock:
            old = self._counters
            self._counters = replace(
                old,
                sent=old.sent + sent,
                dropped=old.dropped + dropped,
                failed=old.failed + failed,
            )
