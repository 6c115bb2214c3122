"""A session as the source of a replay."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import StackError
from streamer.frame import Completeness, Frame, Stream
from streamer.session.creation import create_session
from streamer.session.recorder import FrameRecorder
from streamer.stacks import open_stack

REPLAYED = Stream("new", "session", "HAADF")


def recorded(seq: int, stream: Stream) -> Frame:
    return Frame(
        stream=stream,
        seq=seq,
        image=np.random.default_rng(seq).normal(size=(8 + seq, 9)).astype(np.float32),
        pixel_size_nm=0.0156 / (seq + 1),
        origin_nm=(1.5, seq),
        start_ns=10**18 + seq,
        end_ns=10**18 + seq + 5,
        dwell_time_us=31.9,
        dose_e_nm2=1e7,
        completeness=Completeness.PARTIAL,
        valid_rows=5,
        metadata={"seq": seq},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three streams: of the first, frame 1 is lost; the second has none."""
    first = Stream("a", "SuperScan", "HAADF")
    with FrameRecorder(tmp_path / "run") as recorder:
        for seq in (0, 2, 3):
            recorder.commit_frame(recorded(seq, first), received_ns=0)
        recorder.commit_end(Stream("b", "SuperScan", "HAADF"), 0)
        recorder.commit_frame(recorded(7, Stream("c", "SuperScan", "BF")), 0)
    return tmp_path / "run"


def test_its_frames_come_back_bit_for_bit_with_their_own_calibration(
    folder: Path,
) -> None:
    with open_stack(folder) as stack:
        assert (len(stack), stack.source, stack.channel) == (3, "run", "HAADF")
        assert (stack.shape, stack.dtype) == ((8, 9), np.float32)
        for index, seq in enumerate([0, 2, 3]):
            found = stack.frame(index, REPLAYED)
            expected = replace(recorded(seq, REPLAYED), seq=index, image=found.image)
            np.testing.assert_array_equal(found.image, recorded(seq, REPLAYED).image)
            for name in set(Frame.__dataclass_fields__) - {"image"}:
                assert getattr(found, name) == getattr(expected, name), name


def test_any_of_its_streams_can_be_asked_for(folder: Path) -> None:
    with open_stack(folder, channel="bf", pixel_size_nm=0.5) as stack:
        assert stack.channels == ("HAADF", "BF")
        frame = stack.frame(0, REPLAYED)
    assert (frame.metadata["seq"], frame.seq, frame.pixel_size_nm) == (7, 0, 0.5)
    with pytest.raises(StackError, match=r"^run has no channel “X”; it has HAADF, BF$"):
        open_stack(folder, channel="X")


def test_runs_of_one_channel_are_told_apart_by_their_numbers(folder: Path) -> None:
    with FrameRecorder(folder) as recorder:
        recorder.commit_frame(recorded(9, Stream("d", "SuperScan", "HAADF")), 0)
    with open_stack(folder) as stack:
        assert stack.channels == ("HAADF 0", "BF", "HAADF 3")
        assert len(stack) == 3
    with open_stack(folder, channel="HAADF 3") as stack:
        assert (len(stack), stack.channel) == (1, "HAADF")


def test_a_session_without_frames_is_refused(tmp_path: Path) -> None:
    create_session(tmp_path)
    with pytest.raises(StackError, match=f"^{tmp_path} is a session without frames$"):
        open_stack(tmp_path)


def test_a_damaged_frame_is_one_line(folder: Path) -> None:
    with open_stack(folder) as stack:
        (folder / "frames" / "000002.tif").write_bytes(b"not what was written")
        stack.frame(0, REPLAYED)
        with pytest.raises(StackError, match=r"000002.tif is damaged: its checksum"):
            stack.frame(1, REPLAYED)
        stack.frame(2, REPLAYED)
