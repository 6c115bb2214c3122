"""The panel in Nion Swift: settings, and what is being sent."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Event, Thread
from typing import Any

from streamer.errors import AtomstreamError

from .bridge import Bridge
from .form import ENTRIES, changed, told
from .settings import BridgeSettings

REFRESH_S = 1.0


class Panel:
    """What Nion Swift's `create_panel` asks for; it makes the widgets when opened."""

    panel_id = "atomstream-bridge"
    panel_name = "atomstream"
    panel_positions = ("left", "right")
    panel_position = "right"

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._closed = Event()
        self._labels: list[Any] = []
        self._refused = ""

    def create_panel_widget(self, ui: Any, document_window: Any) -> Any:
        """The panel's widgets; `ui` and `document_window` are Nion Swift's Facade."""
        column = ui.create_column_widget()
        switch = ui.create_check_box_widget("Send frames")
        switch.checked = self._bridge.settings.enabled
        switch.on_checked_changed = self._switch
        column.add(switch)
        for name, entry in ENTRIES.items():
            column.add(ui.create_label_widget(entry.label))
            line = ui.create_line_edit_widget()
            line.text = entry.show(getattr(self._bridge.settings, name))
            line.on_editing_finished = partial(self._edited, name)
            column.add(line)
        self._labels = [ui.create_label_widget("") for _ in told(self._bridge.state())]
        for label in self._labels:
            column.add(label)
        column.add_stretch()
        self._refresh_from_now_on(document_window.queue_task)
        return column

    def close(self) -> None:
        """No longer refresh; the panel may be opened again."""
        self._closed.set()
        self._labels = []

    def _switch(self, enabled: bool) -> None:
        self._apply(replace(self._bridge.settings, enabled=enabled))

    def _edited(self, name: str, text: str) -> None:
        try:
            self._apply(changed(self._bridge.settings, name, text))
        except AtomstreamError as error:
            self._refused = str(error)
        self._refresh()

    def _apply(self, settings: BridgeSettings) -> None:
        self._refused = ""
        if settings != self._bridge.settings:
            self._bridge.apply(settings)

    def _refresh(self) -> None:
        where, counts, problem = told(self._bridge.state())
        for label, text in zip(
            self._labels, (where, counts, self._refused or problem), strict=False
        ):
            label.text = text

    def _refresh_from_now_on(self, queue_task: Callable[[Any], None]) -> None:
        """Have the window's own thread refresh the panel each second."""
        self._closed.set()
        self._closed = closed = Event()

        def run() -> None:
            while not closed.wait(REFRESH_S):
                queue_task(self._refresh)

        self._refresh()
        Thread(target=run, name="atomstream panel", daemon=True).start()
