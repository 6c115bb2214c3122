"""The panel in Nion Swift: settings, what is being sent, and what is shown."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from .bridge import Bridge
from .form import ENTRIES, RESULTS_ENTRIES, results_told, told
from .results import Results
from .section import Section

REFRESH_S = 1.0
BETWEEN_PX = 12


class Panel:
    """What Nion Swift's `create_panel` asks for; it makes the widgets when opened."""

    panel_id = "atomstream-bridge"
    panel_name = "atomstream"
    panel_positions = ("left", "right")
    panel_position = "right"

    def __init__(self, bridge: Bridge, results: Results) -> None:
        self._closed = Event()
        self._sections: tuple[Section[Any], ...] = (
            Section("Send frames", bridge, ENTRIES, lambda: told(bridge.state())),
            Section(
                "Show results",
                results,
                RESULTS_ENTRIES,
                lambda: results_told(results.state()),
            ),
        )

    def create_panel_widget(self, ui: Any, document_window: Any) -> Any:
        """The panel's widgets; `ui` and `document_window` are Nion Swift's Facade."""
        column = ui.create_column_widget()
        for section in self._sections:
            section.add_to(ui, column)
            column.add_spacing(BETWEEN_PX)
        column.add_stretch()
        self._refresh_from_now_on(document_window.queue_task)
        return column

    def close(self) -> None:
        """No longer refresh; the panel may be opened again."""
        self._closed.set()
        for section in self._sections:
            section.forget()

    def _refresh(self) -> None:
        for section in self._sections:
            section.refresh()

    def _refresh_from_now_on(self, queue_task: Callable[[Any], None]) -> None:
        """Have the window's own thread refresh the panel each second."""
        self._closed.set()
        self._closed = closed = Event()

        def run() -> None:
            while not closed.wait(REFRESH_S):
                queue_task(self._refresh)

        self._refresh()
        Thread(target=run, name="atomstream panel", daemon=True).start()
