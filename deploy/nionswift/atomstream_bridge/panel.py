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
        self._bridge, self._results = bridge, results
        self._opened: list[Opened] = []

    def create_panel_widget(self, ui: Any, document_window: Any) -> Any:
        """Widgets for a window; `ui` and `document_window` are Nion Swift's Facade."""
        column = ui.create_column_widget()
        sections = self._sections()
        for section in sections:
            section.add_to(ui, column)
            column.add_spacing(BETWEEN_PX)
        column.add_stretch()
        opened = Opened(column, sections, document_window.queue_task)
        self._opened = [*filter(Opened.is_there, self._opened), opened]
        return column

    def close(self) -> None:
        """One window's panel is being closed: those of other windows go on.

        Nion Swift does not say which. A panel notices itself that it is gone.
        """

    def end(self) -> None:
        """Refresh none any more."""
        for opened in self._opened:
            opened.close()

    def _sections(self) -> tuple[Section[Any], ...]:
        bridge, results = self._bridge, self._results
        return (
            Section("Send frames", bridge, ENTRIES, lambda: told(bridge.state())),
            Section(
                "Show results",
                results,
                RESULTS_ENTRIES,
                lambda: results_told(results.state()),
            ),
        )


class Opened:
    """The panel in one window, refreshed each second by the window's own thread."""

    def __init__(
        self,
        column: Any,
        sections: tuple[Section[Any], ...],
        queue_task: Callable[[Any], None],
    ) -> None:
        self._column, self._sections = column, sections
        self._queue_task = queue_task
        self._closed = Event()
        self.refresh()
        Thread(target=self._run, name="atomstream panel", daemon=True).start()

    def is_there(self) -> bool:
        """Whether its widgets are: one that was closed has no more behaviour."""
        widget = self._column._widget  # noqa: SLF001 - the Facade has no word for it
        return getattr(widget, "_behavior", widget) is not None

    def refresh(self) -> None:
        """Say how things stand."""
        if self.is_there() and not self._closed.is_set():
            for section in self._sections:
                section.refresh()

    def close(self) -> None:
        """Refresh no more."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.wait(REFRESH_S) and self.is_there():
            try:
                self._queue_task(self.refresh)
            except Exception:  # noqa: BLE001 - the window is gone, in a way of its own
                return
