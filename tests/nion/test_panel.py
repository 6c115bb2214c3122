"""The panel, of Nion Swift's own widgets, and the plug-in as Nion Swift starts it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from atomstream_bridge import (
    RESULTS_SETTINGS,
    SETTINGS,
    AtomstreamExtension,
)
from atomstream_bridge.bridge import Bridge
from atomstream_bridge.panel import Panel
from atomstream_bridge.remembering import remembered
from atomstream_bridge.results import Results
from atomstream_bridge.results_settings import ResultsSettings
from atomstream_bridge.settings import (
    BridgeSettings,
    read_settings,
    write_settings,
)

FREE = BridgeSettings(address="tcp://127.0.0.1:*")

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def ui(microscope: Any) -> Any:
    """What Nion Swift hands to a panel, without a screen."""
    from nion.swift import Facade
    from nion.ui import TestUI

    del microscope  # with it all of Nion is imported, and its warnings are over
    return Facade.UserInterface("~1.0", TestUI.UserInterface())


@pytest.fixture
def window() -> Any:
    """Its tasks run at once."""
    return SimpleNamespace(queue_task=lambda task: task())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_settings(tmp_path / SETTINGS, FREE)
    return tmp_path / SETTINGS


@pytest.fixture
def bridge(file: Path) -> Iterator[Bridge]:
    bridge = Bridge(file)
    yield bridge
    bridge.close()


@pytest.fixture
def results(tmp_path: Path) -> Iterator[Results]:
    """Shows in a Nion Swift that has no window yet."""
    application = SimpleNamespace(document_windows=[])
    api = SimpleNamespace(application=application)
    results = Results(tmp_path / RESULTS_SETTINGS, api)
    yield results
    results.close()


@pytest.fixture
def panel(bridge: Bridge, results: Results) -> Iterator[Panel]:
    panel = Panel(bridge, results)
    yield panel
    panel.end()


def texts(column: Any) -> list[str]:
    """What all of its widgets say."""
    return [getattr(child, "text", None) or "" for child in column._widget.children]


def line(column: Any, label: str) -> Any:
    """The line to write in that stands below a label."""
    return column._widget.children[texts(column).index(label) + 1]


def test_shows_settings_and_where_frames_go(
    ui: Any, window: Any, panel: Panel, bridge: Bridge
) -> None:
    column = panel.create_panel_widget(ui, window)
    assert f"no microscope yet at {bridge.state().url}" in texts(column)
    assert line(column, "Address").text == FREE.address


def test_what_is_typed_in_is_applied_and_remembered(
    ui: Any, window: Any, panel: Panel, bridge: Bridge, file: Path
) -> None:
    column = panel.create_panel_widget(ui, window)
    line(column, "Channels (empty: all)").on_editing_finished("HAADF, MAADF")
    assert bridge.settings.channels == ("HAADF", "MAADF")
    assert read_settings(file)[0].channels == ("HAADF", "MAADF")


def test_two_windows_have_a_panel_each_and_one_goes_on_without_the_other(
    ui: Any,
    window: Any,
    panel: Panel,
    bridge: Bridge,
    wait_for: Callable[[Callable[[], bool], float], None],
) -> None:
    first = panel.create_panel_widget(ui, window)
    second = panel.create_panel_widget(ui, window)
    line(first, "Channels (empty: all)").on_editing_finished("HAADF")
    wait_for(lambda: line(second, "Channels (empty: all)").text == "HAADF", 10.0)
    # As Nion Swift does: the delegate first, then the widgets.
    panel.close()
    second._widget.close()
    bridge.refuse("out of order")
    wait_for(lambda: "out of order" in texts(first), 10.0)
    wait_for(lambda: threads("atomstream panel") == 1, 10.0)


def threads(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())


def test_nonsense_is_refused_in_the_panel_and_changes_nothing(
    ui: Any, window: Any, panel: Panel, bridge: Bridge
) -> None:
    column = panel.create_panel_widget(ui, window)
    line(column, "Address").on_editing_finished("somewhere")
    assert bridge.settings == FREE
    assert any("expected tcp://HOST:PORT" in text for text in texts(column))


def test_switched_off_it_gives_the_address_back(
    ui: Any, window: Any, panel: Panel, bridge: Bridge
) -> None:
    column = panel.create_panel_widget(ui, window)
    column._widget.children[0].on_checked_changed(False)
    assert bridge.state().url == ""
    column._widget.children[0].on_checked_changed(True)
    assert bridge.state().url


def test_results_are_switched_on_and_chosen_in_the_panel_and_remembered(
    ui: Any, window: Any, panel: Panel, results: Results, tmp_path: Path
) -> None:
    column = panel.create_panel_widget(ui, window)
    switch = column._widget.children[texts(column).index("Show results")]
    assert not switch.checked
    line(column, "Address of the results").on_editing_finished("tcp://127.0.0.1:9")
    line(column, "Show").on_current_item_changed("orientation")
    switch.on_checked_changed(True)
    wanted = ResultsSettings(True, "tcp://127.0.0.1:9", view="orientation")
    assert results.settings == wanted
    file = tmp_path / RESULTS_SETTINGS
    assert remembered(file, ResultsSettings()) == (wanted, None)
    assert "nothing heard yet from tcp://127.0.0.1:9" in texts(column)


def test_what_is_set_of_results_does_not_interrupt_what_is_sent(
    ui: Any, window: Any, panel: Panel, bridge: Bridge
) -> None:
    column = panel.create_panel_widget(ui, window)
    outlet = bridge._outlet
    line(column, "Show").on_current_item_changed("crystallinity")
    assert bridge._outlet is outlet


def test_nion_swift_starts_it_with_what_scans_already_and_what_comes_later(
    microscope: Any, file: Path
) -> None:
    from nion.instrumentation import HardwareSource

    panels: list[Any] = []
    application = SimpleNamespace(configuration_location=str(file.parent))
    api = SimpleNamespace(application=application, create_panel=panels.append)
    extension = AtomstreamExtension(SimpleNamespace(get_api=lambda **_: api))
    assert [panel.panel_name for panel in panels] == ["atomstream"]
    assert extension._bridge.state().sources == (microscope.hardware_source_id,)
    manager = HardwareSource.HardwareSourceManager()
    manager.hardware_source_removed_event.fire(microscope)
    assert extension._bridge.state().sources == ()
    manager.hardware_source_added_event.fire(microscope)
    assert extension._bridge.state().sources == (microscope.hardware_source_id,)
    extension.close()
    assert extension._bridge.state().url == ""
