import dataclasses
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from streamer.errors import SessionError
from streamer.frame import DTYPES, Completeness, Frame, Stream
from streamer.messages import SUPERSEDED
from streamer.session.durable import write_file
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder

RECEIVED_NS = 1_700_000_000_000_000_000
SECOND = Stream("77aa", "SuperScan", "MAADF")


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[FrameRecorder]:
    with FrameRecorder(tmp_path) as recorder:
        yield recorder


@pytest.fixture
def session(recorder: FrameRecorder, tmp_path: Path) -> Iterator[SessionReader]:
    assert recorder
    with SessionReader(tmp_path) as session:
        yield session


def test_a_committed_frame_is_read_back_bit_for_bit(
    recorder: FrameRecorder,
    session: SessionReader,
    make_frame: Callable[..., Frame],
    same_frames: Callable[[Frame, Frame], None],
) -> None:
    for seq, dtype in enumerate(sorted(DTYPES, key=str)):
        frame = make_frame(seq, image=np.arange(12).reshape(3, 4).astype(dtype))
        assert recorder.commit_frame(frame, RECEIVED_NS)
        same_frames(session.frame(frame.stream.id, seq), frame)


def test_the_index_says_what_the_frame_says(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    frame = make_frame(2, completeness=Completeness.ABORTED, valid_rows=5)
    recorder.commit_frame(frame, RECEIVED_NS + 1)
    (record,) = session.frames(frame.stream.id)
    assert (record.stream_id, record.seq) == (frame.stream.id, 2)
    assert record.received_ns == RECEIVED_NS + 1
    assert record.shape == frame.shape
    assert record.pixel_size_nm == frame.pixel_size_nm
    assert record.origin_nm == frame.origin_nm
    assert record.completeness is Completeness.ABORTED
    assert record.valid_rows == 5


def test_a_frame_that_is_there_is_not_written_again(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    frame = make_frame()
    assert recorder.commit_frame(frame, RECEIVED_NS)
    assert not recorder.commit_frame(frame, RECEIVED_NS + 5)
    other = dataclasses.replace(frame, image=frame.image + 1)
    assert not recorder.commit_frame(other, RECEIVED_NS + 5)
    assert session.totals().frames == 1
    np.testing.assert_array_equal(session.frame("5f0c", 0).image, frame.image)


def test_files_carry_the_number_of_the_frame_and_of_a_further_stream(
    recorder: FrameRecorder, tmp_path: Path, make_frame: Callable[..., Frame]
) -> None:
    for stream in (make_frame().stream, SECOND):
        for seq in (0, 1_234_567):
            recorder.commit_frame(make_frame(seq, stream), RECEIVED_NS)
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == [
        "000000.tif",
        "01-000000.tif",
        "01-1234567.tif",
        "1234567.tif",
    ]


def test_two_runs_are_never_taken_for_one(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    first = make_frame()
    second = make_frame(stream=dataclasses.replace(first.stream, id="another run"))
    recorder.commit_frame(first, RECEIVED_NS)
    recorder.commit_frame(second, RECEIVED_NS)
    assert [(s.number, s.stream, s.frames) for s in session.streams()] == [
        (0, first.stream, 1),
        (1, second.stream, 1),
    ]


def test_the_file_opens_with_other_programs(
    recorder: FrameRecorder, tmp_path: Path, make_frame: Callable[..., Frame]
) -> None:
    frame = make_frame()
    recorder.commit_frame(frame, RECEIVED_NS)
    np.testing.assert_array_equal(
        tifffile.imread(tmp_path / "frames" / "000000.tif"), frame.image
    )


def test_time_runs_from_the_streams_first_frame(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    for seq in (5, 6, 9):
        recorder.commit_frame(make_frame(seq), RECEIVED_NS)
    times = [record.exposure.time_s for record in session.frames("5f0c")]
    assert times == [0, 33.5, 4 * 33.5]


@pytest.mark.parametrize("unknown", [0, 1])
def test_time_is_unknown_where_a_start_is(
    recorder: FrameRecorder,
    session: SessionReader,
    make_frame: Callable[..., Frame],
    unknown: int,
) -> None:
    for seq in range(2):
        fields = {"start_ns": None} if seq == unknown else {}
        recorder.commit_frame(make_frame(seq, **fields), RECEIVED_NS)
    assert math.isnan(session.exposure("5f0c", 1).time_s)


def test_dose_counts_the_frames_that_were_lost(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    for seq, dose in [(1, 10.0), (2, 10.0), (5, 100.0)]:
        recorder.commit_frame(make_frame(seq, dose_e_nm2=dose), RECEIVED_NS)
    doses = [record.exposure.dose_e_nm2 for record in session.frames("5f0c")]
    assert doses == [20, 30, 330]


def test_a_frame_that_comes_late_has_the_dose_of_its_place(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    for seq in (0, 3, 1):
        recorder.commit_frame(make_frame(seq, dose_e_nm2=10.0), RECEIVED_NS)
    doses = [record.exposure.dose_e_nm2 for record in session.frames("5f0c")]
    assert doses == [10, 20, 40]


def test_a_dose_once_unknown_stays_unknown(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    for seq, dose in enumerate([10.0, None, 10.0]):
        recorder.commit_frame(make_frame(seq, dose_e_nm2=dose), RECEIVED_NS)
    known = [
        math.isfinite(record.exposure.dose_e_nm2) for record in session.frames("5f0c")
    ]
    assert known == [True, False, False]


def test_doses_of_two_streams_are_not_mixed(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    recorder.commit_frame(make_frame(dose_e_nm2=10.0), RECEIVED_NS)
    recorder.commit_frame(make_frame(stream=SECOND, dose_e_nm2=7.0), RECEIVED_NS)
    assert session.exposure(SECOND.id, 0).dose_e_nm2 == 7


def test_gaps_are_in_the_ledger_once(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    stream = make_frame().stream
    for _ in range(2):
        recorder.commit_gap(stream, 3, 5, "the publisher has them no more", 99)
    (gap,) = session.gaps()
    assert (gap.stream_id, gap.first, gap.last) == (stream.id, 3, 5)
    assert (gap.reason, gap.noticed_ns) == ("the publisher has them no more", 99)


def test_a_stream_may_be_known_by_its_gap_or_its_end_alone(
    recorder: FrameRecorder, session: SessionReader
) -> None:
    recorder.commit_gap(SECOND, 0, 5, "too late", 99)
    recorder.commit_end(SECOND, 6)
    (record,) = session.streams()
    assert (record.stream, record.frames, record.total) == (SECOND, 0, 6)


def test_lost_frames_that_came_after_all_are_not_lost(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    recorder.commit_gap(make_frame().stream, 1, 4, "no answer", 99)
    assert session.totals().lost == 4
    recorder.commit_frame(make_frame(2), RECEIVED_NS)
    assert session.totals().lost == 3
    found = [(gap.first, gap.last, gap.reason) for gap in session.gaps()]
    assert sorted(found) == [(1, 1, "no answer"), (3, 4, "no answer")]


def test_what_a_newer_state_took_the_place_of_is_in_the_ledger_and_no_loss(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    stream = make_frame().stream
    recorder.commit_gap(stream, 0, 8, SUPERSEDED, 99)
    recorder.commit_gap(stream, 10, 11, "no answer", 99)
    assert session.totals().lost == 2
    assert [gap.is_loss for gap in session.gaps()] == [False, True]
    reasons = [session.gap_reason(stream.id, seq) for seq in (8, 9, 10)]
    assert reasons == [SUPERSEDED, None, "no answer"]


def test_resuming_goes_on_after_the_last_that_was_committed_or_given_up(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    stream = make_frame().stream
    assert session.next_seq(stream.id) == 0
    recorder.commit_frame(make_frame(0), RECEIVED_NS)
    assert session.next_seq(stream.id) == 1
    recorder.commit_gap(stream, 1, 7, "no answer", 99)
    assert session.next_seq(stream.id) == 8
    recorder.commit_frame(make_frame(8), RECEIVED_NS)
    recorder.commit_frame(make_frame(0, SECOND), RECEIVED_NS)
    assert session.next_seq(stream.id) == 9
    assert session.next_seq(SECOND.id) == 1


def test_events_are_kept_in_order(
    recorder: FrameRecorder, session: SessionReader
) -> None:
    recorder.commit_event(20, "recorder", "started")
    recorder.commit_event(10, "clock", "was set back")
    assert [(e.time_ns, e.kind, e.text) for e in session.events()] == [
        (20, "recorder", "started"),
        (10, "clock", "was set back"),
    ]


def test_a_crash_between_file_and_row_leaves_nothing(
    tmp_path: Path, make_frame: Callable[..., Frame]
) -> None:
    FrameRecorder(tmp_path).close()
    frames = tmp_path / "frames"
    write_file(frames / "000000.tif", b"its row was never committed")
    (frames / ".000001.tif.tmp").write_bytes(b"half")
    (frames / "Results.csv").write_text("somebody's own")
    with FrameRecorder(tmp_path) as recorder:
        assert [path.name for path in frames.iterdir()] == ["Results.csv"]
        assert recorder.commit_frame(make_frame(), RECEIVED_NS)
    with FrameRecorder(tmp_path) as recorder:
        assert not recorder.commit_frame(make_frame(), RECEIVED_NS)
    with SessionReader(tmp_path) as session:
        assert session.frame("5f0c", 0).seq == 0


def test_a_frame_that_could_not_be_written_can_be_committed_later(
    recorder: FrameRecorder,
    session: SessionReader,
    tmp_path: Path,
    make_frame: Callable[..., Frame],
) -> None:
    frames = tmp_path / "frames"
    frames.rename(tmp_path / "away")
    with pytest.raises(SessionError, match=r"000000.tif.tmp: No such file or dir"):
        recorder.commit_frame(make_frame(), RECEIVED_NS)
    assert session.totals().frames == 0
    (tmp_path / "away").rename(frames)
    assert recorder.commit_frame(make_frame(), RECEIVED_NS)


def test_a_number_beyond_the_index_is_refused_and_the_session_goes_on(
    recorder: FrameRecorder, make_frame: Callable[..., Frame]
) -> None:
    with pytest.raises(SessionError, match="too large to convert"):
        recorder.commit_frame(make_frame(start_ns=2**64), RECEIVED_NS)
    assert recorder.commit_frame(make_frame(), RECEIVED_NS)


def test_the_recorder_may_work_in_another_thread_than_it_was_opened_in(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    thread = threading.Thread(
        target=recorder.commit_frame, args=(make_frame(), RECEIVED_NS)
    )
    thread.start()
    thread.join(10)
    assert session.totals().frames == 1
