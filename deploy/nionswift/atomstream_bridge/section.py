"""One part of the plug-in in its panel: a switch, its settings, and what it tells."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from streamer.errors import AtomstreamError

from .form import Entry, changed
from .remembering import Settings

S = TypeVar("S", bound=Settings)


class Part(Protocol[S]):
    """What can be set."""

    settings: S
    """Among them whether it is enabled."""

    def apply(self, settings: S) -> None:
        """Go on by these settings."""


class Section(Generic[S]):
    """Widgets of one part.

    Parameters
    ----------
    switch
        What is written at the switch.
    part
        What is set.
    entries
        Its settings by name.
    told
        Gives where, how many, and what went wrong.
    """

    def __init__(
        self,
        switch: str,
        part: Part[S],
        entries: Mapping[str, Entry],
        told: Callable[[], tuple[str, str, str]],
    ) -> None:
        self._switch_text, self._part = switch, part
        self._entries, self._told = entries, told
        self._labels: list[Any] = []
        self._switch: Any = None
        self._fields: dict[str, Any] = {}
        self._shown = part.settings
        self._refused = ""

    def add_to(self, ui: Any, column: Any) -> None:
        """Make the widgets; `ui` is Nion Swift's Facade."""
        switch = ui.create_check_box_widget(self._switch_text)
        switch.checked = getattr(self._part.settings, "enabled")  # noqa: B009 - of any S
        switch.on_checked_changed = partial(self._set, "enabled")
        column.add(switch)
        self._switch = switch
        for name, entry in self._entries.items():
            column.add(ui.create_label_widget(entry.label))
            self._fields[name] = self._field(ui, name, entry)
            column.add(self._fields[name])
        self._labels = [ui.create_label_widget("") for _ in self._told()]
        for label in self._labels:
            column.add(label)

    def refresh(self) -> None:
        """Say how things stand."""
        if self._shown != self._part.settings:
            self._show(self._part.settings)
        where, counts, problem = self._told()
        for label, text in zip(
            self._labels, (where, counts, self._refused or problem), strict=False
        ):
            label.text = text

    def _show(self, settings: S) -> None:
        """Show settings that were changed, here or in another window.

        A line that is left, though nothing was typed in, says what stands in it.
        """
        self._shown = settings
        self._switch.checked = getattr(settings, "enabled")  # noqa: B009 - of any S
        for name, entry in self._entries.items():
            text, field = entry.show(getattr(settings, name)), self._fields[name]
            if entry.choices:
                field.current_item = text
            else:
                field.text = text

    def _field(self, ui: Any, name: str, entry: Entry) -> Any:
        text = entry.show(getattr(self._part.settings, name))
        if entry.choices:
            box = ui.create_combo_box_widget(entry.choices)
            box.current_item = text
            box.on_current_item_changed = partial(self._edited, name)
            return box
        line = ui.create_line_edit_widget()
        line.text = text
        line.on_editing_finished = partial(self._edited, name)
        return line

    def _edited(self, name: str, text: str) -> None:
        try:
            self._apply(changed(self._part.settings, name, self._entries[name], text))
        except AtomstreamError as error:
            self._refused = str(error)
        self.refresh()

    def _set(self, name: str, value: object) -> None:
        values: dict[str, Any] = {name: value}
        self._apply(replace(self._part.settings, **values))
        self.refresh()

    def _apply(self, settings: S) -> None:
        self._refused = ""
        if settings != self._part.settings:
            self._part.apply(settings)
