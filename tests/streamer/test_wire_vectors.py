"""Messages as files, for whoever writes a client in another language.

Each folder under `vectors` holds the three parts of one message: `topic`, `header`
and `payload`. They are what version 1 of the protocol is; they do not change.
"""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from streamer.analysis import Analysis, Flag, ModelId, PixelSizeSource, Preview, Summary
from streamer.atoms import Atoms
from streamer.frame import Completeness, Frame, Stream
from streamer.messages import (
    Content,
    Done,
    End,
    Feed,
    FeedState,
    Heartbeat,
    Message,
    Request,
    Unavailable,
)
from streamer.service_state import Recorded, ServiceState
from streamer.wire import pack, unpack

VECTORS = Path(__file__).parent / "vectors"
SENT_NS = 1_700_000_000_000_000_000
PARTS = ("topic", "header", "payload")

STREAM = Stream("0b0f4f1c-95a1-4bd2-9f43-0a4ad2e1a9f6", "SuperScan", "HAADF")
FRAMES = Feed(Content.FRAME, STREAM)
ANALYSES = Feed(Content.ANALYSIS, STREAM)


def real(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


MESSAGES: dict[str, Message] = {
    "frame": Frame(
        stream=STREAM,
        seq=0,
        image=np.array([[0, 1, 2], [256, 513, 65_535]], np.uint16),
        pixel_size_nm=0.0156,
        origin_nm=(-8.0, 8.0),
        start_ns=SENT_NS - 33_500_000_000,
        end_ns=SENT_NS,
        dwell_time_us=31.9,
        dose_e_nm2=1.25e6,
        metadata={"high_tension_v": 60_000, "probe": {"corrected": True}},
    ),
    "frame-partial": Frame(
        stream=STREAM,
        seq=1,
        image=real(0.5, -0.0, math.inf, math.nan).reshape(4, 1),
        completeness=Completeness.PARTIAL,
        valid_rows=3,
    ),
    "frame-large": Frame(
        stream=STREAM,
        seq=2,
        image=np.arange(2**16, dtype=np.uint8).reshape(256, 256),
    ),
    "analysis": Analysis(
        stream=STREAM,
        seq=0,
        model=ModelId("compact", "ab" * 32, ("crystallinity", "z1"), 2 * math.pi / 3),
        provider="CPUExecutionProvider",
        shape=(2, 3),
        pixel_size_nm=0.0156,
        origin_nm=(-8.0, 8.0),
        time_s=0.0,
        dose_e_nm2=1.25e6,
        completeness=Completeness.COMPLETE,
        flags=(Flag.TOO_SMALL,),
        atoms=Atoms(
            row_px=real(0.25, 1.5),
            col_px=real(1.0, 2.0),
            x_nm=real(-7.9844, -7.9688),
            y_nm=real(8.0039, 8.0234),
            x_sigma_nm=real(0.001, 0.002),
            y_sigma_nm=real(math.nan, 0.002),
            row_net_px=real(0.0, 1.25),
            col_net_px=real(1.0, 2.0),
            species=np.array([0, 1], np.uint8),
            score=real(0.99, 0.75),
            angle_rad=real(-1.0, math.nan),
            edge=np.array([True, False]),
            latents={"crystallinity": real(2.0, -1.0), "z1": real(0.0, 0.5)},
        ),
        summary=Summary({"C": 1, "Si": 1}, 0.0015, 1369.6, 0.0, math.nan, 0.5),
        stages_ms={"segment": 12.5, "encode": 3.25},
        latency_s=0.125,
        preview=Preview(
            np.array([[0, 128, 255], [1, 2, 3]], np.uint8), low=0.0, high=513.0
        ),
        pixel_size_source=PixelSizeSource.METADATA,
    ),
    "analysis-partial": Analysis(
        stream=STREAM,
        seq=1,
        model=ModelId("compact", "ab" * 32, ("z1",), 2 * math.pi / 3),
        provider="CPUExecutionProvider",
        shape=(4, 1),
        pixel_size_nm=None,
        origin_nm=(0.0, 0.0),
        time_s=math.nan,
        dose_e_nm2=math.nan,
        completeness=Completeness.PARTIAL,
        flags=(Flag.PARTIAL, Flag.NO_PIXEL_SIZE, Flag.NO_ATOMS),
        atoms=Atoms.none(("z1",)),
        summary=Summary({}, math.nan, math.nan, math.nan, math.nan, math.nan),
        stages_ms={"prepare": 0.5},
        latency_s=0.125,
        preview=Preview(np.array([[9], [99], [255], [0]], np.uint8), 0.0, 1.0),
        rows_so_far=3,
    ),
    "heartbeat": Heartbeat(
        catch_up=5556,
        feeds=(
            FeedState(FRAMES, newest=41, first_kept=10),
            FeedState(ANALYSES, newest=40, first_kept=0, total=41),
        ),
    ),
    "heartbeat-service": Heartbeat(
        catch_up=5558,
        feeds=(FeedState(ANALYSES, newest=40, first_kept=0),),
        notice="NOT RECORDING: no space left on the disk",
        state=ServiceState(
            session="today",
            received=44,
            committed=43,
            waiting=3,
            aside=0,
            recorded=Recorded.NO,
            reason="NOT RECORDING: no space left on the disk",
            free_bytes=812_300_000_000,
            bytes_per_s=131_072.5,
        ),
    ),
    "heartbeat-restarts": Heartbeat(
        catch_up=5558,
        feeds=(),
        state=ServiceState(
            session="today",
            received=44,
            committed=43,
            waiting=3,
            aside=0,
            recorded=Recorded.YES,
            oldest_waiting_ns=SENT_NS - 90_000_000_000,
            oldest_unrecorded_ns=SENT_NS - 1_500_000_000,
            link_s=-0.25,
            restarts={"receive": 0, "analyse": 2},
        ),
    ),
    "end": End(FRAMES, total=42),
    "request": Request(FRAMES, first=5, last=9),
    "unavailable": Unavailable(FRAMES, 0, 9, "the source no longer keeps it"),
    "done": Done("9f1d2c", finished=((Content.FRAME, STREAM.id),)),
}


def bits(value: object) -> object:
    """`value` in a form that is equal exactly when every bit is."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, value.tobytes()
    if isinstance(value, Mapping):
        return {key: bits(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return [bits(getattr(value, name)) for name in names]
    return "nan" if value != value else value


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_packs_to_the_published_bytes(name: str) -> None:
    published = [(VECTORS / name / part).read_bytes() for part in PARTS]
    assert [bytes(part) for part in pack(MESSAGES[name], SENT_NS)] == published


@pytest.mark.parametrize("name", MESSAGES)
def test_the_published_bytes_unpack_to_the_message(name: str) -> None:
    envelope = unpack([(VECTORS / name / part).read_bytes() for part in PARTS])
    assert envelope.sent_ns == SENT_NS
    assert bits(envelope.message) == bits(MESSAGES[name])


def test_every_vector_is_tested() -> None:
    assert {folder.name for folder in VECTORS.iterdir()} == MESSAGES.keys()
