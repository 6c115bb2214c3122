"""Listens to one scan hardware source of Nion Swift, and does nothing else to it.

Its events come on the acquisition thread: what is done here slows the scan, and an
exception would keep other listeners from theirs. So everything is short and guarded.
"""

import time
from collections.abc import Callable
from functools import partial
from threading import Lock

from streamer.errors import SettingsError

from .nion_objects import (
    NEEDED,
    DataAndMetadata,
    DataChannelEventArgs,
    HardwareSource,
    Listening,
)
from .outlet import Outlet
from .runs import Runs
from .settings import BridgeSettings
from .update import GROWING, Update, read_update

EVENTS = (
    "data_channel_updated_event", "acquisition_state_changed_event", "abort_event",
)  # fmt: skip


def is_scan(source: HardwareSource) -> bool:
    """Whether a hardware source is one that scans."""
    return hasattr(source, "scan_device")


class Listener:
    """From one source to an outlet, until it is closed.

    Raises
    ------
    SettingsError
        The source has no such events: it is of an older Nion Swift.
    """

    def __init__(
        self, source: HardwareSource, outlet: Outlet, settings: BridgeSettings
    ) -> None:
        if missing := [event for event in EVENTS if not hasattr(source, event)]:
            raise SettingsError(f"this Nion Swift has no {missing[0]}; {NEEDED}")
        name = str(source.display_name or source.hardware_source_id)
        self._outlet = outlet
        self._channels = settings.channels
        self._growing: dict[str, tuple[Update, DataAndMetadata]] = {}
        self._runs, self._lock = Runs(name, settings.partial_every_s), Lock()
        handlers: tuple[Callable[..., None], ...] = (
            self._updated,
            self._state_changed,
            self._aborted,
        )
        # Nion Swift holds listeners weakly: they live as long as this list.
        self._listening: list[Listening] = [
            getattr(source, event).listen(partial(self._guarded, handler))
            for event, handler in zip(EVENTS, handlers, strict=True)
        ]

    def close(self) -> None:
        """Listen no more; what has been begun is ended."""
        listening, self._listening = self._listening, []
        for listener in listening:
            listener.close()
        with self._lock:
            self._outlet.end(self._runs.closed())

    def _guarded(self, handler: Callable[..., None], *arguments: object) -> None:
        try:
            handler(*arguments)
        except Exception as error:  # noqa: BLE001 - Nion Swift must not feel it
            self._outlet.note(error, "an event could not be read")

    def _updated(self, args: DataChannelEventArgs, xdata: DataAndMetadata) -> None:
        if len(xdata.data_shape) != 2:
            return
        update = read_update(args, xdata)
        if self._channels and update.channel not in self._channels:
            return
        with self._lock:
            self._remember(update, xdata)
            self._place(update, xdata)

    def _place(self, update: Update, xdata: DataAndMetadata) -> None:
        steps = self._runs.place(update, time.monotonic())
        if steps:
            self._outlet.take(steps, update, xdata.data)

    def _remember(self, update: Update, xdata: DataAndMetadata) -> None:
        """Keep what is still being scanned now, by its channel."""
        others = [key for key, (old, _) in self._growing.items()
                  if old.recording != update.recording]  # fmt: skip
        for key in (*others, update.channel_id):
            self._growing.pop(key, None)
        if update.state in GROWING:
            self._growing[update.channel_id] = update, xdata

    def _state_changed(self, is_running: bool) -> None:
        with self._lock:
            if is_running:
                self._runs.started()
                return
            if self._runs.is_aborted:
                # Nion Swift may or may not say a last word on what was broken off.
                for update, xdata in self._growing.values():
                    self._place(update, xdata)
            self._growing.clear()
            self._outlet.end(self._runs.stopped())

    def _aborted(self) -> None:
        with self._lock:
            self._runs.aborted()
