"""What the operator chose is remembered, and what makes no sense is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from atomstream_bridge.bridge import Bridge, State
from atomstream_bridge.form import (
    ENTRIES,
    RESULTS_ENTRIES,
    changed,
    results_told,
    told,
)
from atomstream_bridge.outlet import Counters
from atomstream_bridge.reception import Heeded
from atomstream_bridge.remembering import remember, remembered
from atomstream_bridge.results import ResultsState
from atomstream_bridge.results_settings import ResultsSettings
from atomstream_bridge.settings import (
    BridgeSettings,
    read_settings,
    write_settings,
)
from atomstream_bridge.showing import Shown
from streamer.errors import AtomstreamError

OTHER = BridgeSettings(
    enabled=False,
    address="tcp://192.0.2.7:6000",
    key_folder="/keys",
    channels=("HAADF", "MAADF"),
    partial_every_s=2.0,
    retention_mib=4096,
)


RESULTS = ResultsSettings(
    enabled=True,
    address="tcp://analysis-pc:5557",
    key_folder="/keys",
    server_key="/keys/analysis-pc.key",
    view="orientation",
)


def test_settings_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "new" / "atomstream.json"
    assert read_settings(file) == (BridgeSettings(), None)
    write_settings(file, OTHER)
    assert read_settings(file) == (OTHER, None)


def test_those_of_results_are_remembered_too_and_off_is_usual(tmp_path: Path) -> None:
    file = tmp_path / "atomstream-results.json"
    assert remembered(file, ResultsSettings()) == (ResultsSettings(), None)
    assert not ResultsSettings().enabled
    remember(file, RESULTS)
    assert remembered(file, ResultsSettings()) == (RESULTS, None)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "Expecting value"),
        ("[]", "a map"),
        ('{"colour": 1}', "'colour' is no setting"),
        ('{"enabled": 1}', "enabled is 1, expected a bool"),
        ('{"channels": [1]}', "channels is (1,)"),
        ('{"address": "here"}', "expected tcp://HOST:PORT"),
        ('{"retention_mib": 0}', "0 MiB kept"),
        ('{"partial_every_s": 0.01}', "partial frames every 0.01 s"),
        ('{"partial_every_s": NaN}', "partial frames every nan s"),
    ],
)
def test_a_damaged_file_gives_the_usual_settings_and_a_word(
    tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "atomstream.json"
    file.write_text(text)
    settings, damaged = read_settings(file)
    assert settings == BridgeSettings()
    assert damaged is not None
    assert complaint in damaged


def test_what_the_panel_shows_can_be_typed_in_again() -> None:
    for name, entry in ENTRIES.items():
        text = entry.show(getattr(OTHER, name))
        copied = changed(BridgeSettings(), name, entry, text)
        assert copied == replace(BridgeSettings(), **{name: getattr(OTHER, name)})


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("address", "5555", "expected tcp://HOST:PORT"),
        ("partial_every_s", "often", "'often', expected a number"),
        ("retention_mib", "1.5", "expected a whole number"),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, text: str, complaint: str) -> None:
    with pytest.raises(AtomstreamError, match=complaint):
        changed(BridgeSettings(), name, ENTRIES[name], text)


def test_so_can_what_it_shows_of_results() -> None:
    for name, entry in RESULTS_ENTRIES.items():
        text = entry.show(getattr(RESULTS, name))
        copied = changed(ResultsSettings(), name, entry, text)
        assert copied == replace(ResultsSettings(), **{name: getattr(RESULTS, name)})


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("address", "tcp://0.0.0.0:5557", "no address to connect to"),
        ("address", "tcp://127.0.0.1:*", "no address to connect to"),
        ("view", "colour", "expected atoms, orientation, crystallinity"),
    ],
)
def test_what_makes_no_sense_for_results_is_refused(
    name: str, text: str, complaint: str
) -> None:
    with pytest.raises(AtomstreamError, match=complaint):
        changed(ResultsSettings(), name, RESULTS_ENTRIES[name], text)


def test_the_panel_says_where_results_come_from_and_what_became_of_them() -> None:
    heard = Heeded(is_heard=True, received=9)
    state = ResultsState(RESULTS, heard, Shown(7, 0.0123), 2, "oh")
    assert results_told(state) == (
        "results from tcp://analysis-pc:5557",
        "received 9, shown 7, passed over 2, longest 12 ms",
        "oh",
    )
    unheard = replace(state, heeded=Heeded())
    assert results_told(unheard)[0] == "nothing heard yet from tcp://analysis-pc:5557"
    off = replace(state, settings=replace(RESULTS, enabled=False))
    assert results_told(off)[0] == "off"


def test_the_panel_says_where_how_many_and_what_went_wrong() -> None:
    state = State(
        OTHER, "tcp://192.0.2.7:6000", ("usim_scan_device",),
        Counters(sent=7, dropped=1, failed=2, subscribers=1, kept_bytes=3 * 2**20),
        "oh",
    )  # fmt: skip
    assert told(state)[0] == "off"
    on = replace(state, settings=replace(OTHER, enabled=True))
    assert told(on) == (
        "usim_scan_device at tcp://192.0.2.7:6000",
        "sent 7, dropped 1, failed 2, subscribers 1, kept 3 MiB",
        "oh",
    )
    assert told(replace(on, url=""))[0] == "nothing is sent"


def test_an_address_that_is_taken_is_said_and_another_one_helps(tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    free = BridgeSettings(address="tcp://127.0.0.1:*")
    write_settings(first, free)
    one = Bridge(first)
    write_settings(second, replace(free, address=one.state().url))
    other = Bridge(second)
    assert "in use by another program" in other.state().problem
    other.apply(free)
    assert other.state().problem == ""
    assert other.state().url
    one.close()
    other.close()


def test_an_address_beyond_this_computer_needs_keys(tmp_path: Path) -> None:
    file = tmp_path / "atomstream.json"
    write_settings(file, BridgeSettings(address="tcp://0.0.0.0:*"))
    bridge = Bridge(file)
    assert "reaches beyond this computer" in bridge.state().problem
    assert bridge.state().url == ""
    bridge.close()
