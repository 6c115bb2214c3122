"""What Nion's own scan delivers is what subscribers get, whatever the operator does."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from atomstream_bridge.bridge import Bridge
from streamer.frame import Completeness, Frame

SIDE = 32
FIELD_NM = 4.0
EXPOSURE_S = 32 * 32 * 100e-6
COMPLETE, PARTIAL, ABORTED = Completeness

pytestmark = pytest.mark.timeout(180)  # the first one imports all of Nion's packages

Start = Callable[..., Bridge]
Receive = Callable[[Bridge], Any]


def scans(frame: Frame) -> str:
    scan = frame.metadata["scan"]
    assert isinstance(scan, dict)
    return str(scan["scan_id"])


def test_complete_frames_arrive_with_the_very_bytes_of_the_device(
    scan: Any, bridge: Start, receive: Receive, sample: Any
) -> None:
    received = receive(bridge())
    scan.start_playing()
    received.until(lambda: len(received.frames()) >= 4)
    frames = received.frames()
    assert [sample.index(frame.image) for frame in frames] == list(range(len(frames)))
    assert [frame.seq for frame in frames] == list(range(len(frames)))
    assert {frame.completeness for frame in frames} == {COMPLETE}
    assert {frame.valid_rows for frame in frames} == {SIDE}


def test_a_frame_says_where_what_and_how_it_was_scanned(
    scan: Any, bridge: Start, receive: Receive
) -> None:
    received = receive(bridge())
    parameters = scan.get_current_frame_parameters()
    parameters.center_nm = (1.0, 0.5)
    scan.set_current_frame_parameters(parameters)
    scan.start_playing()
    received.until(lambda: len(received.frames()) >= 2)
    parameters.center_nm = (0.0, 0.0)
    scan.set_current_frame_parameters(parameters)
    first, second = received.frames()[:2]
    assert (first.stream.source, first.stream.channel) == ("uSim Scan", "HAADF")
    pixel_nm = FIELD_NM / SIDE
    assert first.pixel_size_nm == pytest.approx(pixel_nm)
    corner_nm = -FIELD_NM / 2 + pixel_nm / 2
    assert first.origin_nm == pytest.approx((corner_nm - 0.5, corner_nm - 1.0))
    assert first.dwell_time_us == 100.0
    hardware, instrument = (
        first.metadata["hardware_source"],
        first.metadata["instrument"],
    )
    assert isinstance(hardware, dict)
    assert hardware["hardware_source_id"] == "usim_scan_device"
    assert isinstance(instrument, dict)
    assert instrument["high_tension"] == 100_000
    assert len({scans(first), scans(second)}) == 2


def test_times_are_those_of_the_scan(
    scan: Any, bridge: Start, receive: Receive
) -> None:
    received = receive(bridge())
    before_ns = time.time_ns()
    scan.start_playing()
    received.until(lambda: len(received.frames()) >= 3)
    now_ns = time.time_ns()
    frames = received.frames()
    lasted = [(frame.end_ns - frame.start_ns) * 1e-9 for frame in frames]
    assert lasted == pytest.approx([EXPOSURE_S] * len(frames), abs=1e-4)
    ends = [frame.end_ns for frame in frames]
    assert ends == sorted(ends)
    assert before_ns < ends[0] <= ends[-1] <= now_ns


def test_a_growing_frame_is_sent_with_its_own_rows_and_no_others(
    scan: Any, bridge: Start, receive: Receive, sample: Any
) -> None:
    received = receive(bridge(partial_every_s=0.1))
    parameters = scan.get_current_frame_parameters()
    parameters.pixel_time_us = 400
    scan.set_current_frame_parameters(parameters)
    scan.start_playing()
    # From the second frame on there is one before it, in the same memory.
    received.until(lambda: len(received.frames("HAADF")) >= 3)
    partial = received.frames("HAADF (scanning)")
    assert len(partial) >= 3
    # One that came late saw the newest alone.
    seqs = [frame.seq for frame in partial]
    assert seqs == sorted(set(seqs))
    for frame in partial:
        assert frame.completeness is PARTIAL
        rows = frame.valid_rows
        assert 0 < rows < SIDE
        assert any((drawn[:rows] == frame.image[:rows]).all() for drawn in sample.drawn)
        assert not frame.image[rows + 1 :].any()
    whole = received.frames("HAADF")
    assert {frame.completeness for frame in whole} == {COMPLETE}
    assert {scans(frame) for frame in partial} & {scans(frame) for frame in whole}


def test_growing_frames_come_no_more_often_than_they_are_wanted(
    scan: Any, bridge: Start, receive: Receive
) -> None:
    received = receive(bridge(partial_every_s=3600))
    scan.start_playing()
    received.until(lambda: len(received.frames("HAADF")) >= 4)
    assert len(received.frames("HAADF (scanning)")) == 1


def test_two_channels_are_two_streams_of_the_same_scans(
    scan: Any, bridge: Start, receive: Receive
) -> None:
    received = receive(bridge())
    scan.set_channel_enabled(1, True)
    scan.start_playing()
    received.until(lambda: len(received.frames("MAADF")) >= 3)
    first, second = received.frames("HAADF")[:3], received.frames("MAADF")[:3]
    assert len(received.streams()) == 2
    assert [scans(frame) for frame in first] == [scans(frame) for frame in second]
    assert [f.image.tobytes() for f in first] != [f.image.tobytes() for f in second]


def test_only_the_channels_that_were_named_are_sent(
    scan: Any, bridge: Start, receive: Receive
) -> None:
    received = receive(bridge(channels=("MAADF",)))
    scan.set_channel_enabled(1, True)
    scan.start_playing()
    received.until(lambda: len(received.frames()) >= 3)
    assert {frame.stream.channel for frame in received.frames()} == {"MAADF"}


def test_stop_lets_the_frame_be_finished_and_ends_the_stream(
    scan: Any, bridge: Start, receive: Receive, sample: Any
) -> None:
    received = receive(bridge())
    scan.start_playing()
    received.until(lambda: len(received.frames()) >= 2)
    scan.stop_playing(sync_timeout=20)
    received.until(lambda: bool(received.ended()))
    frames = received.frames()
    assert received.ended() == {frames[0].stream.id: len(frames)}
    assert frames[-1].completeness is COMPLETE
    assert len(frames) == len(sample.drawn)


def test_an_aborted_frame_is_sent_as_that_with_the_rows_that_were_scanned(
    scan: Any, bridge: Start, receive: Receive, sample: Any
) -> None:
    received = receive(bridge())
    states = listen(scan, pixel_time_us=1000)
    scan.start_playing()
    received.until(lambda: len(received.frames()) == 1)
    received.until(lambda: states[-1][0] == "partial" and states[-1][1] > 4)
    scan.abort_playing(sync_timeout=20)
    received.until(lambda: bool(received.ended()))
    whole, broken = received.frames()
    assert (whole.completeness, broken.completeness) == (COMPLETE, ABORTED)
    rows = broken.valid_rows
    assert 4 < rows < SIDE
    np.testing.assert_array_equal(broken.image[:rows], sample.drawn[1][:rows])
    assert not broken.image[rows:].any()
    assert received.ended() == {whole.stream.id: 2}


def test_what_is_called_complete_after_an_abort_is_not_believed(
    scan: Any, bridge: Start, receive: Receive
) -> None:
    received = receive(bridge())
    # The device is asked all the time: then it has a last word, which is wrong.
    states = listen(scan, pixel_size=(8, 3), pixel_time_us=100_000)
    scan.start_playing()
    received.until(lambda: states[-1:] != [] and states[-1][1] >= 2)
    scan.abort_playing(sync_timeout=20)
    received.until(lambda: bool(received.ended()))
    assert states[-1] == ("complete", 8)
    (broken,) = received.frames()
    assert broken.completeness is ABORTED
    assert broken.valid_rows in (2, 3)


class States(list[tuple[str, int]]):
    """Holds what fills it: Nion holds its listeners weakly."""

    listening: Any


def listen(scan: Any, **parameters: Any) -> States:
    """Scan like this; state and valid rows of each update, in Nion's own words."""
    wanted = scan.get_current_frame_parameters()
    for name, value in parameters.items():
        setattr(wanted, name, value)
    scan.set_current_frame_parameters(wanted)
    states = States()

    def note(args: Any, xdata: Any) -> None:
        rows = xdata.metadata["hardware_source"]["valid_rows"]
        states.append((args.state, rows))

    states.listening = scan.data_channel_updated_event.listen(note)
    return states


def test_a_second_acquisition_is_a_second_stream_from_0_on(
    scan: Any, bridge: Start, receive: Receive
) -> None:
    received = receive(bridge())
    for acquisition in (1, 2):
        scan.start_playing()
        received.until(lambda: len(received.streams()) == acquisition)  # noqa: B023
        scan.stop_playing(sync_timeout=20)
        received.until(lambda: len(received.ended()) == acquisition)  # noqa: B023
    assert [frame.seq for frame in received.frames()].count(0) == 2
    assert {frame.stream.channel for frame in received.frames()} == {"HAADF"}


@pytest.mark.parametrize(
    ("change", "value", "shape", "pixel_nm"),
    [
        ("pixel_size", (16, 24), (16, 24), FIELD_NM / 24),
        ("fov_nm", 8.0, (SIDE, SIDE), 8.0 / SIDE),
    ],
)
def test_another_size_or_field_of_view_is_another_stream(
    scan: Any,
    bridge: Start,
    receive: Receive,
    change: str,
    value: Any,
    shape: tuple[int, int],
    pixel_nm: float,
) -> None:
    received = receive(bridge())
    scan.start_playing()
    received.until(lambda: len(received.frames()) >= 2)
    parameters = scan.get_current_frame_parameters()
    setattr(parameters, change, value)
    scan.set_current_frame_parameters(parameters)
    received.until(lambda: len(received.streams()) == 2)
    before, after = received.streams()
    received.until(lambda: before in received.ended())
    frames = received.frames()
    old = [frame for frame in frames if frame.stream.id == before]
    new = [frame for frame in frames if frame.stream.id == after]
    assert {frame.shape for frame in old} == {(SIDE, SIDE)}
    assert {frame.pixel_size_nm for frame in old} == {FIELD_NM / SIDE}
    assert new[0].shape == shape
    assert new[0].pixel_size_nm == pytest.approx(pixel_nm)
    assert new[0].seq == 0


def test_a_subscan_is_a_stream_of_its_own(
    scan: Any, bridge: Start, receive: Receive
) -> None:
    from nion.utils import Geometry

    received = receive(bridge())
    scan.start_playing()
    received.until(lambda: len(received.frames()) >= 1)
    scan.subscan_enabled = True
    scan.subscan_region = Geometry.FloatRect.from_tlhw(0.25, 0.5, 0.5, 0.25)
    received.until(lambda: bool(received.frames("HAADF Subscan")))
    frame = received.frames("HAADF Subscan")[-1]
    rows, cols = frame.shape
    assert rows * cols < SIDE * SIDE
    assert frame.pixel_size_nm == pytest.approx(FIELD_NM / SIDE)
    assert {f.shape for f in received.frames("HAADF")} == {(SIDE, SIDE)}


def test_a_recording_is_a_stream_of_its_own_beside_the_view_that_it_interrupts(
    scan: Any, bridge: Start, receive: Receive
) -> None:
    received = receive(bridge())
    scan.start_playing()
    received.until(lambda: len(received.frames()) >= 1)
    recorded = scan.start_recording().grab_xdatas(timeout=20)[0].data
    received.until(lambda: len(received.streams()) == 2)
    view, recording = received.streams()
    received.until(lambda: recording in received.ended())
    assert received.ended() == {recording: 1}
    (frame,) = [f for f in received.frames() if f.stream.id == recording]
    assert frame.shape == recorded.shape
    count = len(received.frames())
    received.until(lambda: len(received.frames()) > count)
    assert received.frames()[-1].stream.id == view


def test_nothing_is_lost_that_was_scanned_while_nobody_listened(
    scan: Any, bridge: Start, receive: Receive, sample: Any
) -> None:
    started = bridge()
    scan.start_playing()
    deadline = time.monotonic() + 30
    while started.state().counters.sent < 5:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    received = receive(started)
    received.until(lambda: len(received.frames()) >= 7)
    frames = received.frames()
    assert [sample.index(frame.image) for frame in frames] == list(range(len(frames)))


def test_the_plug_in_never_begins_a_scan(scan: Any, bridge: Start) -> None:
    started = bridge()
    assert not scan.is_playing
    started.apply(started.settings)
    started.close()
    assert not scan.is_playing
    assert not scan.is_recording
