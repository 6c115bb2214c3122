"""Results in Nion Swift's own document: real sockets, its real document model."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq

from atomstream_bridge.mailbox import MAX_CHANNELS
from atomstream_bridge.picture import MAX_MARKS
from atomstream_bridge.remembering import remember
from atomstream_bridge.results import Results
from atomstream_bridge.results_settings import ResultsSettings
from streamer.events import Rejected
from streamer.key_changes import allow, make_keys
from streamer.keys import KeyFolder
from streamer.publisher import Publisher
from streamer.security import CurveServer
from tests.nion.drawn_analyses import (
    HIGH,
    LOW,
    ORIGIN_NM,
    PIXEL_NM,
    analysis_of,
    atoms_at,
    grid,
    stream_of,
)

PATIENCE_S = 40.0
HAADF = "atomstream/uSim Scan/HAADF"

pytestmark = pytest.mark.timeout(240)


class NionSwift:
    """Its application with a project, and its window, whose thread is the test's."""

    def __init__(self, window: Any, api: Any) -> None:
        self.window, self.api = window, api
        self.library = api.library

    def until(self, holds: Callable[[], object]) -> None:
        """Let the window do what it does each few milliseconds, until this holds."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline_s
            self.window.periodic()
            time.sleep(0.01)

    def has_tasks(self) -> bool:
        """Whether something waits for its thread."""
        return bool(self.window._Window__periodic_queue._TaskQueue__queue.qsize())

    def item(self, key: str = HAADF) -> Any:
        """The data item of a channel; None if there is none."""
        return self.library.get_data_item_for_reference_key(key)

    def frame(self, key: str = HAADF) -> int | None:
        """Number of the frame that a data item shows."""
        item = self.item(key)
        told = item.xdata.metadata["atomstream"] if item and item.xdata else {}
        return told.get("frame")

    def points(self) -> list[list[float]]:
        """(y, x) of the graphics that we made, in fractions of the image."""
        return [[round(side, 6) for side in each.position]
                for each in self.item().display.graphics
                if each.graphic_id == "atomstream"]  # fmt: skip


@pytest.fixture
def nion(microscope: Any) -> Iterator[NionSwift]:
    """Nion Swift with an empty project, as its own tests have it."""
    from nion.swift import Facade
    from nion.swift.test import TestContext

    del microscope  # with it all of Nion is imported, and its warnings are over
    Facade.initialize()
    with TestContext.create_memory_context() as context:
        window = context.create_document_controller_with_application()
        yield NionSwift(window, Facade.get_api("~1.0", "~1.0"))


@pytest.fixture
def service() -> Iterator[Publisher]:
    """What publishes analyses, as `atomstream serve` does."""
    with zmq.Context() as context, Publisher(context, "tcp://127.0.0.1:*") as service:
        yield service


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "atomstream-results.json"


@pytest.fixture
def show(
    nion: NionSwift, file: Path, service: Publisher
) -> Iterator[Callable[..., Results]]:
    """The plug-in's second part, switched on, with these settings."""
    started: list[Results] = []

    def start(**values: Any) -> Results:
        on = ResultsSettings(enabled=True, address=service.url)
        remember(file, replace(on, **values))
        started.append(Results(file, nion.api))
        return started[-1]

    yield start
    for results in started:
        results.close()


def test_is_off_unless_switched_on(
    nion: NionSwift, file: Path, service: Publisher
) -> None:
    results = Results(file, nion.api)
    assert results.settings == ResultsSettings()
    assert not results.settings.enabled
    names = {thread.name for thread in threading.enumerate()}
    assert not names & {"atomstream results", "atomstream showing"}
    assert service.statistics().joined == 0
    results.close()


def test_a_channel_has_one_data_item_that_is_updated_in_place(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    show()
    stream = stream_of("run")
    service.send(analysis_of(stream, 0))
    nion.until(lambda: nion.frame() == 0)
    first = nion.item().uuid
    service.send(analysis_of(stream, 1))
    nion.until(lambda: nion.frame() == 1)
    assert nion.item().uuid == first
    service.send(analysis_of(stream_of("next-run"), 0))
    nion.until(lambda: nion.frame() == 0)
    assert [item.uuid for item in nion.library.data_items] == [first]


def test_each_channel_has_its_own(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    show()
    service.send(analysis_of(stream_of("one"), 0))
    service.send(analysis_of(stream_of("two", "MAADF"), 0))
    nion.until(lambda: nion.frame() == 0)
    nion.until(lambda: nion.frame("atomstream/uSim Scan/MAADF") == 0)
    assert nion.library.data_item_count == 2


def test_image_and_calibration_are_those_of_the_frame(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    image = np.arange(200 * 200).reshape(200, 200).astype(np.uint8)
    show()
    service.send(analysis_of(stream_of("run"), 0, image=image, shape=(400, 400)))
    nion.until(lambda: nion.frame() == 0)
    xdata = nion.item().xdata
    np.testing.assert_array_equal(xdata.data, image)
    y, x = xdata.dimensional_calibrations
    assert (y.units, x.units) == ("nm", "nm")
    # Two pixels of the frame in one of the picture; Nion counts from the corner.
    assert y.scale == x.scale == pytest.approx(2 * PIXEL_NM)
    corner_nm = [side - PIXEL_NM / 2 for side in ORIGIN_NM]
    assert [x.offset, y.offset] == pytest.approx(corner_nm)
    assert xdata.intensity_calibration.convert_to_calibrated_value(0) == LOW
    assert xdata.intensity_calibration.convert_to_calibrated_value(255) == HIGH


def test_few_atoms_are_points_that_move_and_the_users_own_stay(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    show()
    stream = stream_of("run")
    at = np.float32([0, 49.5]), np.float32([199, 99.5])
    service.send(analysis_of(stream, 0, atoms_at(*at)))
    nion.until(lambda: nion.frame() == 0)
    # The centre of the first pixel is half a pixel from the edge.
    corner, middle = [0.5 / 200, 199.5 / 200], [0.25, 0.5]
    assert nion.points() == [corner, middle]
    nion.item().add_rectangle_region(0.5, 0.5, 0.1, 0.1)
    service.send(analysis_of(stream, 1, atoms_at(*(px[1:] for px in at))))
    nion.until(lambda: nion.frame() == 1)
    assert nion.points() == [middle]
    assert len(nion.item().display.graphics) == 2
    service.send(analysis_of(stream, 2))
    nion.until(lambda: nion.frame() == 2)
    assert [each.graphic_id for each in nion.item().display.graphics] == [None]


def test_many_atoms_are_painted_and_only_the_silicon_are_points(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    show()
    rows, cols = grid(MAX_MARKS + 1)
    service.send(analysis_of(stream_of("run"), 0, atoms_at(rows, cols, silicon=2)))
    nion.until(lambda: nion.frame() == 0)
    blue_green_red = nion.item().xdata.data
    assert blue_green_red.shape == (200, 200, 3)
    # Orange for Si, light blue for C; nothing between them.
    assert tuple(blue_green_red[10, 20]) == (0x47, 0xB3, 0xFF)
    assert tuple(blue_green_red[10, 30]) == (0xE8, 0xC7, 0x56)
    assert not blue_green_red[15].any()
    assert nion.points() == [[10.5 / 200, 10.5 / 200], [10.5 / 200, 20.5 / 200]]


def test_of_too_many_silicon_none_is_a_point(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    show()
    count = MAX_MARKS + 1
    found = atoms_at(*grid(count), silicon=count)
    service.send(analysis_of(stream_of("run"), 0, found))
    nion.until(lambda: nion.frame() == 0)
    assert nion.points() == []


def test_orientation_has_the_colours_of_the_page(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    from dashboard.figures.style import cyclic_palette

    show(view="orientation")
    stream = stream_of("run")
    for seq, turns in enumerate((-0.49, -0.2, 0.0, 0.3)):
        angle_rad = turns * np.pi * 2 / 3
        found = atoms_at(*grid(1), angle_rad=angle_rad)
        service.send(analysis_of(stream, seq, found))
        nion.until(lambda seq=seq: nion.frame() == seq)
        page = bytes.fromhex(cyclic_palette()[round((turns + 0.5) * 255)][1:])
        shown = nion.item().xdata.data[10, 10, ::-1]
        assert np.abs(shown.astype(int) - np.frombuffer(page, np.uint8)).max() <= 10


def test_crystallinity_is_light_where_order_is_high_and_grey_where_unknown(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    show(view="crystallinity")
    order = {"crystallinity": np.float32([0.1, 0.9, np.nan])}
    found = atoms_at(*grid(3), latents=order)
    service.send(analysis_of(stream_of("run"), 0, found))
    nion.until(lambda: nion.frame() == 0)
    data = nion.item().xdata.data
    assert tuple(data[10, 10]) == (0x5D, 0x0F, 0x00)
    assert tuple(data[10, 20]) == (0x4E, 0xF9, 0xF5)
    assert tuple(data[10, 30]) == (79, 67, 57)
    assert nion.item().display.graphics == []


def test_what_cannot_be_shown_is_said_and_the_next_one_is_shown(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    results = show(view="crystallinity")
    stream = stream_of("run")
    service.send(analysis_of(stream, 0, atoms_at(*grid(3), latents={})))
    nion.until(lambda: "tells no crystallinity" in results.state().problem)
    service.send(analysis_of(stream, 1))
    nion.until(lambda: nion.frame() == 1)
    nion.until(lambda: results.state().problem == "")


def test_a_data_item_that_the_user_deleted_comes_again_with_the_next_frame(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    show()
    stream = stream_of("run")
    service.send(analysis_of(stream, 0, atoms_at(*grid(2))))
    nion.until(lambda: nion.frame() == 0)
    deleted = nion.item()
    nion.library._document_model.remove_data_item(deleted._data_item)
    assert nion.library.data_item_count == 0
    service.send(analysis_of(stream, 1, atoms_at(*grid(2))))
    nion.until(lambda: nion.frame() == 1)
    assert nion.library.data_item_count == 1
    assert len(nion.points()) == 2


def test_the_title_tells_the_frame_until_the_user_gives_another(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    show()
    stream = stream_of("run")
    for seq in range(2):
        service.send(analysis_of(stream, seq, atoms_at(*grid(3), silicon=1)))
        nion.until(lambda seq=seq: nion.frame() == seq)
        assert nion.item().title == f"HAADF atoms, frame {seq}: 2 C, 1 Si"
    nion.item().title = "mine"
    service.send(analysis_of(stream, 2))
    nion.until(lambda: nion.frame() == 2)
    assert nion.item().title == "mine"


def test_after_a_restart_the_same_data_item_goes_on(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    results = show()
    stream = stream_of("run")
    service.send(analysis_of(stream, 0, atoms_at(*grid(3))))
    nion.until(lambda: nion.frame() == 0)
    results.close()
    show()
    service.send(analysis_of(stream, 1, atoms_at(*grid(2))))
    nion.until(lambda: nion.frame() == 1)
    assert nion.library.data_item_count == 1
    assert len(nion.points()) == 2


def test_while_nion_swift_is_slow_only_the_newest_waits(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    results = show()
    stream = stream_of("run")

    def wait_for(received: int) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while results.state().heeded.received < received:  # the window does nothing
            assert time.monotonic() < deadline_s
            time.sleep(0.01)

    service.send(analysis_of(stream, 0))
    wait_for(1)  # who comes late gets the newest and what follows
    for seq in range(1, 20):
        service.send(analysis_of(stream, seq))
    wait_for(20)
    nion.until(lambda: nion.frame() == 19)
    nion.until(lambda: results.state().shown.shown + results.state().passed_over == 20)
    assert results.state().shown.shown <= 2


def test_the_document_is_changed_by_nion_swifts_own_thread_alone(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    show()
    stream = stream_of("run")
    service.send(analysis_of(stream, 0))
    nion.until(lambda: nion.frame() == 0)
    threads: list[str] = []
    listening = nion.item()._data_item.data_item_changed_event.listen(
        lambda: threads.append(threading.current_thread().name)
    )
    service.send(analysis_of(stream, 1, atoms_at(*grid(3))))
    nion.until(lambda: nion.frame() == 1)
    listening.close()
    assert set(threads) == {threading.main_thread().name}


def test_switched_off_nothing_is_shown_any_more_not_even_what_waits(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    results = show()
    stream = stream_of("run")
    service.send(analysis_of(stream, 0))
    nion.until(lambda: nion.frame() == 0)
    service.send(analysis_of(stream, 1))
    deadline_s = time.monotonic() + PATIENCE_S
    while not nion.has_tasks():  # its window does nothing meanwhile
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    results.apply(replace(results.settings, enabled=False))
    nion.until(lambda: service.statistics().subscribers == 0)
    for _ in range(20):
        nion.window.periodic()
    assert nion.frame() == 0
    assert nion.library.data_item_count == 1


def test_of_what_a_service_analysed_before_only_the_newest_run_is_shown(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    for run, seqs in (("older", 5), ("newer", 3)):
        for seq in range(seqs):
            service.send(analysis_of(stream_of(run), seq))
        service.end(stream_of(run))
    results = show()
    nion.until(lambda: results.state().heeded.received == 2)
    nion.until(lambda: nion.frame() == 2)
    assert results.state().shown.shown == 1


def test_a_run_that_a_recording_interrupted_goes_on(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    show()
    view, recording = stream_of("view"), stream_of("recording")
    for stream, seq in ((view, 0), (recording, 0), (view, 1)):
        service.send(analysis_of(stream, seq))
        nion.until(lambda seq=seq: nion.frame() == seq)
    assert nion.item().xdata.metadata["atomstream"]["stream"] == "view"


def test_a_source_of_ever_new_channels_does_not_fill_the_project(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    results = show()
    for number in range(MAX_CHANNELS + 4):
        service.send(analysis_of(stream_of(f"run{number}", f"channel {number}")))
    nion.until(lambda: results.state().shown.shown == MAX_CHANNELS)
    nion.until(lambda: "more than 16 channels" in results.state().problem)
    assert nion.library.data_item_count == MAX_CHANNELS


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"address": "tcp://192.0.2.7:5557"}, "is not on this computer"),
        ({"server_key": "0" * 64}, "a key folder is needed"),
        ({"server_key": "0" * 64, "key_folder": "/nowhere"}, "/nowhere"),
    ],
)
def test_what_keeps_it_from_listening_is_said(
    nion: NionSwift,
    show: Callable[..., Results],
    values: dict[str, str],
    complaint: str,
) -> None:
    results = show(**values)
    nion.until(lambda: complaint in results.state().problem)


def test_a_message_that_was_thrown_away_is_told_until_the_next_good_one(
    nion: NionSwift, service: Publisher, show: Callable[..., Results]
) -> None:
    results = show()
    nion.until(lambda: results.state().heeded.is_heard)
    _, reception, _ = results._at_work  # type: ignore[misc] # it is on
    reception._take(Rejected(service.url, "no message of ours"))
    assert results.state().problem == "no message of ours"
    service.send(analysis_of(stream_of("run")))
    nion.until(lambda: results.state().heeded.received == 1)
    assert results.state().problem == ""


@pytest.mark.slow
def test_a_service_that_is_not_there_is_said_and_is_heard_when_it_comes(
    nion: NionSwift, file: Path
) -> None:
    with zmq.Context() as context:
        with Publisher(context, "tcp://127.0.0.1:*") as gone:
            address = gone.url
        remember(file, ResultsSettings(enabled=True, address=address))
        results = Results(file, nion.api)
        nion.until(lambda: f"nothing comes from {address}" in results.state().problem)
        with Publisher(context, address) as service:
            service.send(analysis_of(stream_of("run")))
            nion.until(lambda: nion.frame() == 0)
            assert results.state().problem == ""
        results.close()


def test_with_keys_it_hears_a_service_that_allows_it(
    nion: NionSwift, tmp_path: Path, file: Path
) -> None:
    ours, theirs = KeyFolder(tmp_path / "ours"), KeyFolder(tmp_path / "theirs")
    allow(theirs, "nion", make_keys(ours))
    make_keys(theirs)
    with (
        zmq.Context() as context,
        Publisher(
            context, "tcp://127.0.0.1:*", security=CurveServer(theirs)
        ) as service,
    ):
        settings = ResultsSettings(
            enabled=True,
            address=service.url,
            key_folder=str(ours.path),
            server_key=str(theirs.public_file),
        )
        remember(file, settings)
        results = Results(file, nion.api)
        service.send(analysis_of(stream_of("run")))
        nion.until(lambda: nion.frame() == 0)
        results.close()
