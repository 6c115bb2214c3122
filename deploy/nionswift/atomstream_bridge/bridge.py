"""The plug-in's own state: its settings, its outlet and what it listens to."""

import logging
from dataclasses import dataclass
from pathlib import Path
from threading import RLock, Thread

from streamer.errors import AtomstreamError

from .listening import Listener, is_scan
from .nion_objects import HardwareSource
from .outlet import Counters, Outlet
from .settings import (
    BridgeSettings,
    read_settings,
    write_settings,
)

log = logging.getLogger(__name__)

APPLYING_S = 0.2
"""How long Nion Swift's own thread may be kept waiting for what is still to be sent:
mostly it is, and the address is free again, much earlier."""
CLOSING_S = 20.0
"""How long its end may: that much is waited for subscribers at most."""


@dataclass(frozen=True, slots=True)
class State:
    """What the panel shows."""

    settings: BridgeSettings
    url: str
    """Where frames can be had; empty while nothing is sent."""
    sources: tuple[str, ...]
    """Names of the hardware sources that are listened to."""
    counters: Counters
    problem: str
    """Why nothing is sent, or what went wrong last; empty: nothing."""


class Bridge:
    """Sends what any scan hardware source delivers; never asks one for anything.

    Parameters
    ----------
    file
        Where settings are remembered.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.settings, damaged = read_settings(file)
        self._problem = damaged or ""
        self._refused = ""
        self._sources: dict[str, HardwareSource] = {}
        self._listeners: dict[str, Listener] = {}
        self._outlet: Outlet | None = None
        self._lock = RLock()
        self._is_over = False
        self._reopening: Thread | None = None
        self._open()

    def add(self, source: HardwareSource) -> None:
        """Listen to a hardware source, if it is one that scans."""
        if is_scan(source):
            with self._lock:
                self._sources[source.hardware_source_id] = source
                self._listen(source.hardware_source_id)

    def remove(self, source: HardwareSource) -> None:
        """A hardware source is no longer there."""
        with self._lock:
            self._sources.pop(source.hardware_source_id, None)
            if listener := self._listeners.pop(source.hardware_source_id, None):
                listener.close()

    def refuse(self, reason: str) -> None:
        """Say from now on why nothing can be sent, whatever the settings are."""
        log.warning("atomstream: %s", reason)
        self._refused = reason

    def apply(self, settings: BridgeSettings) -> None:
        """Go on by these settings, and remember them; streams begin anew.

        Returns soon. Where a subscriber does not take what is still to be sent, sending
        goes on a little later, when that was given up.
        """
        with self._lock:
            former = self._part()
            self.settings, self._problem = settings, ""
        try:
            write_settings(self._file, settings)
        except OSError as error:
            self._problem = f"settings are not remembered: {error}"
        self._reopening = Thread(
            target=self._reopen,
            args=(former, settings, self._reopening),
            name="atomstream reopens",
            daemon=True,
        )
        self._reopening.start()
        self._reopening.join(APPLYING_S)

    def state(self) -> State:
        """What there is to be seen now."""
        outlet = self._outlet
        counters = outlet.counters() if outlet else Counters()
        return State(
            self.settings,
            outlet.url if outlet else "",
            tuple(sorted(self._listeners)),
            counters,
            self._refused or self._problem or counters.last_error,
        )

    def close(self) -> None:
        """End all streams and give the address back."""
        with self._lock:
            self._is_over = True
            former = self._part()
            self._sources.clear()
        if self._reopening:
            self._reopening.join(CLOSING_S)
        if former:
            former.close()

    def _open(self) -> None:
        if not self.settings.enabled:
            return
        try:
            self._outlet = Outlet(self.settings)
        except AtomstreamError as error:
            self._fail(error)
            return
        for name in self._sources:
            self._listen(name)

    def _listen(self, name: str) -> None:
        if self._outlet is None or name in self._listeners:
            return
        try:
            source = self._sources[name]
            self._listeners[name] = Listener(source, self._outlet, self.settings)
        except AtomstreamError as error:
            self._fail(error)

    def _fail(self, error: AtomstreamError) -> None:
        log.warning("atomstream: %s", error)
        self._problem = str(error)

    def _part(self) -> Outlet | None:
        """Listen no more; the outlet that is to be closed."""
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()
        former, self._outlet = self._outlet, None
        return former

    def _reopen(
        self, former: Outlet | None, settings: BridgeSettings, before: Thread | None
    ) -> None:
        """Close an outlet, which gives the address back, and open the next.

        After what was begun before, and not if other settings have come meanwhile.
        """
        if before:
            before.join()
        if former:
            former.close()
        with self._lock:
            if self.settings is settings and not self._is_over and not self._outlet:
                self._open()
