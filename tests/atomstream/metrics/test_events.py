"""What a viewer of a service is told, and what the metrics say then."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from atomstream.metrics.bounded import MOST
from atomstream.metrics.causes import CAUSES
from atomstream.metrics.events import ServiceMetrics
from dashboard.hub import Hub
from dashboard.metrics import PageMetrics
from streamer.analysis import Analysis, Flag, ModelId, Preview, Summary
from streamer.atoms import Atoms
from streamer.catalogue import EVICTED, NEVER_SENT, UNREADABLE
from streamer.events import (
    Abandoned,
    Ended,
    Event,
    Gap,
    Heard,
    Hindered,
    Joined,
    Notice,
    Received,
    Rejected,
    Silent,
    Stands,
)
from streamer.frame import Completeness, Stream
from streamer.messages import SUPERSEDED, Content
from streamer.service_state import Recorded, ServiceState

type Samples = dict[str, float]
type Read = Callable[[Iterable[Metric]], Samples]
type After = Callable[..., Samples]

URL = "tcp://127.0.0.1:5557"
STREAM = Stream("00000000-0000-4000-8000-000000000000", "scope", "HAADF")
HEARD = Heard(URL)


def analysis(
    stream: Stream = STREAM,
    *,
    latency_s: float = 1.0,
    flags: tuple[Flag, ...] = (),
    stages_ms: dict[str, float] | None = None,
    counts: dict[str, int] | None = None,
    crystallinity: float = 0.75,
) -> Received:
    found = Analysis(
        stream=stream,
        seq=0,
        model=ModelId("graphene-si", "0123456789abcdef" * 4, ("z1",), 1.0),
        provider="CPUExecutionProvider",
        shape=(8, 8),
        pixel_size_nm=0.02,
        origin_nm=(0.0, 0.0),
        time_s=0.0,
        dose_e_nm2=1.0,
        completeness=Completeness.COMPLETE,
        flags=flags,
        atoms=Atoms.none(),
        summary=Summary(
            counts=counts or {"C": 90, "Si": 2},
            area_nm2=4.0,
            density_nm2=23.0,
            hole_area_nm2=1.5,
            bond_length_nm=0.142,
            mean_crystallinity=crystallinity,
            lattice_constant_nm=0.246,
        ),
        stages_ms=stages_ms or {},
        latency_s=latency_s,
        preview=Preview(np.zeros((8, 8), np.uint8), 0.0, 1.0),
    )
    return Received(found, sent_ns=0, received_ns=0)


def stands(  # as many as a service says
    received: int = 10,
    committed: int = 9,
    waiting: int = 3,
    aside: int = 2,
    recorded: Recorded = Recorded.YES,
    free_bytes: int | None = 7 * 10**9,
    session: str = "today",
    since_ns: tuple[int | None, int | None] = (None, None),
    link_s: float | None = None,
    restarts: dict[str, int] | None = None,
) -> Stands:
    state = ServiceState(
        session, received, committed, waiting, aside, recorded, None, free_bytes,
        None, *since_ns, link_s, restarts,
    )  # fmt: skip
    return Stands(URL, state)


def gap(first: int, last: int, reason: str) -> Gap:
    return Gap(STREAM, first, last, reason, Content.ANALYSIS)


def joined(stream_id: str) -> Joined:
    return Joined(Stream(stream_id, "scope", "HAADF"), Content.ANALYSIS)


def ended(stream_id: str) -> Ended:
    return Ended(Stream(stream_id, "scope", "HAADF"), 3, Content.ANALYSIS)


def abandoned(stream_id: str) -> Abandoned:
    return Abandoned(Stream(stream_id, "scope", "HAADF"), 3, Content.ANALYSIS)


OF_SCOPE = "channel=HAADF,source=scope"
NOW_NS = 1_800_000_000 * 10**9
QUEUE = "atomstream_queue_age_seconds"
LATENCY = "atomstream_analysis_latency_seconds"
STAGE = "atomstream_stage_seconds"
MEANS: dict[str, tuple[list[Event], Samples]] = {
    "nobody was heard": (
        [],
        {"atomstream_service_heard": 0, "atomstream_frames_late_total": 0},
    ),
    "heard": ([HEARD], {"atomstream_service_heard": 1}),
    "when it started": ([], {"atomstream_start_time_seconds": 1e9}),
    "streams that go on": (
        [joined("a"), joined("b"), joined("b"), joined("c")],
        {"atomstream_streams_open": 3},
    ),
    "streams that have ended or are gone": (
        [joined("a"), joined("b"), joined("c"), ended("a"), abandoned("c")],
        {"atomstream_streams_open": 1},
    ),
    "a stream that comes back": (
        [joined("a"), abandoned("a"), joined("a")],
        {"atomstream_streams_open": 1},
    ),
    "silent": ([HEARD, Silent(URL, 3.0)], {"atomstream_service_heard": 0}),
    "heard again": (
        [HEARD, stands(), Silent(URL, 3.0), HEARD],
        {"atomstream_service_heard": 1, "atomstream_frames_received_total": 10},
    ),
    "how it stands": (
        [HEARD, stands()],
        {
            "atomstream_frames_received_total": 10,
            "atomstream_frames_committed_total": 9,
            "atomstream_frames_waiting": 3,
            "atomstream_frames_set_aside": 2,
            "atomstream_frames_analysed_total": 5,
            "atomstream_recording": 1,
            "atomstream_session_disk_free_bytes": 7e9,
        },
    ),
    "nothing waits": (
        [HEARD, stands()],
        {f"{QUEUE}{{queue=analysis}}": 0, f"{QUEUE}{{queue=recording}}": 0},
    ),
    "how long the oldest waits": (
        [HEARD, stands(since_ns=(NOW_NS - 90 * 10**9, NOW_NS - 15 * 10**8))],
        {f"{QUEUE}{{queue=analysis}}": 90, f"{QUEUE}{{queue=recording}}": 1.5},
    ),
    "a clock that was set back meanwhile": (
        [HEARD, stands(since_ns=(NOW_NS + 10**9, None))],
        {f"{QUEUE}{{queue=analysis}}": 0},
    ),
    "how long a frame was under way": (
        [HEARD, stands(link_s=0.25)],
        {"atomstream_link_latency_seconds": 0.25},
    ),
    "by a source whose clock is ahead": (
        [HEARD, stands(link_s=-3.0)],
        {"atomstream_link_latency_seconds": -3.0},
    ),
    "which processes were started again": (
        [HEARD, stands(restarts={"receive": 0, "analyse": 2})],
        {
            "atomstream_process_restarts_total{process=receive}": 0,
            "atomstream_process_restarts_total{process=analyse}": 2,
        },
    ),
    "not recording": (
        [HEARD, stands(recorded=Recorded.NO)],
        {"atomstream_recording": 0},
    ),
    "a total never steps back": (
        [HEARD, stands(received=11, waiting=2), stands(received=10, waiting=5)],
        {
            "atomstream_frames_received_total": 11,
            "atomstream_frames_analysed_total": 7,
            "atomstream_frames_waiting": 5,
        },
    ),
    "but in another session": (
        [HEARD, stands(), stands(received=1, waiting=1, aside=0, session="next")],
        {
            "atomstream_frames_received_total": 1,
            "atomstream_frames_analysed_total": 0,
        },
    ),
    "what was found": (
        [analysis()],
        {
            f"atomstream_atoms{{{OF_SCOPE},species=C}}": 90,
            f"atomstream_atoms{{{OF_SCOPE},species=Si}}": 2,
            f"atomstream_mean_crystallinity{{{OF_SCOPE}}}": 0.75,
            f"atomstream_hole_area_nm2{{{OF_SCOPE}}}": 1.5,
            f"atomstream_lattice_constant_nm{{{OF_SCOPE}}}": 0.246,
            f"atomstream_analyses_total{{{OF_SCOPE}}}": 1,
            "atomstream_last_analysis_age_seconds": 0,
            "atomstream_model_info{name=graphene-si,sha256=0123456789ab}": 1,
            "atomstream_provider_info{provider=CPUExecutionProvider}": 1,
        },
    ),
    "a species that is gone": (
        [analysis(), analysis(counts={"C": 80})],
        {f"atomstream_atoms{{{OF_SCOPE},species=Si}}": 0},
    ),
    "in time, to the last moment": (
        [analysis(latency_s=33.5)],
        {f"{LATENCY}_bucket{{le=33.5}}": 1, "atomstream_frames_late_total": 0},
    ),
    "late": (
        [analysis(latency_s=34.0), analysis(latency_s=1.0)],
        {
            f"{LATENCY}_bucket{{le=33.5}}": 1,
            f"{LATENCY}_bucket{{le=60.0}}": 2,
            f"{LATENCY}_sum": 35.0,
            "atomstream_frames_late_total": 1,
        },
    ),
    "a latency that is none": (
        [analysis(latency_s=each) for each in (float("nan"), float("inf"), -1.0)],
        {f"{LATENCY}_count": 0, f"{LATENCY}_sum": 0},
    ),
    "stages, in seconds": (
        [analysis(stages_ms={"network": 200.0, "refine": 40_000.0})],
        {
            f"{STAGE}_bucket{{le=0.1,stage=network}}": 0,
            f"{STAGE}_bucket{{le=0.25,stage=network}}": 1,
            f"{STAGE}_bucket{{le=33.5,stage=refine}}": 0,
            f"{STAGE}_sum{{stage=refine}}": 40.0,
        },
    ),
    "flags": (
        [analysis(flags=(Flag.BLURRED, Flag.FAILED)), analysis(flags=(Flag.BLURRED,))],
        {
            "atomstream_flags_total{flag=blurred}": 2,
            "atomstream_flags_total{flag=failed}": 1,
            "atomstream_flags_total{flag=partial}": 0,
        },
    ),
    "gaps": (
        [
            gap(0, 4, NEVER_SENT),
            gap(7, 7, NEVER_SENT),
            gap(8, 9, EVICTED),
            gap(10, 10, f"{UNREADABLE}: disk on fire"),
            gap(11, 13, "in words of its own"),
            gap(14, 99, SUPERSEDED),
        ],
        {
            "atomstream_frames_missing_total{cause=never-sent}": 6,
            "atomstream_frames_missing_total{cause=not-kept}": 2,
            "atomstream_frames_missing_total{cause=unreadable}": 1,
            "atomstream_frames_missing_total{cause=other}": 3,
            "atomstream_frames_missing_total{cause=no-answer}": 0,
        },
    ),
    "what is no metric": (
        [Notice(URL, "x"), Hindered(URL, "x"), Rejected(URL, "x"), Stands(URL, None)],
        {"atomstream_service_heard": 0},
    ),
}  # fmt: skip


@pytest.fixture
def after(samples: Read) -> After:
    """What the metrics are after some events."""

    def metrics_after(*events: Event) -> Samples:
        metrics = ServiceMetrics(lambda: 0.0, 1e9, lambda: NOW_NS)
        for event in events:
            metrics.take(event)
        return samples(metrics.registry.collect())

    return metrics_after


@pytest.mark.parametrize("name", MEANS)
def test_events_mean(after: After, name: str) -> None:
    events, expected = MEANS[name]
    found = after(*events)
    assert {each: found.get(each) for each in expected} == pytest.approx(expected)


ONLY_HEARD = (
    "atomstream_recording",
    "atomstream_frames_waiting",
    "atomstream_session_disk_free_bytes",
)


def test_nothing_is_claimed_of_a_service_that_is_silent(after: After) -> None:
    assert set(ONLY_HEARD) <= set(after(HEARD, stands()))
    assert not set(ONLY_HEARD) & set(after(HEARD, stands(), Silent(URL, 3.0)))
    assert not set(ONLY_HEARD) & set(after(HEARD, stands(), Stands(URL, None)))
    no_disk = after(HEARD, stands(free_bytes=None))
    assert "atomstream_session_disk_free_bytes" not in no_disk


def test_the_newest_analysis_grows_old(samples: Read) -> None:
    now_s = 100.0
    metrics = ServiceMetrics(lambda: now_s, 1e9)
    metrics.take(analysis())
    now_s = 142.0
    found = samples(metrics.registry.collect())
    assert found["atomstream_last_analysis_age_seconds"] == 42


def test_names_that_strangers_choose_are_bounded(samples: Read) -> None:
    metrics = ServiceMetrics(lambda: 0.0, 1e9)
    for number in range(1000):
        stream = Stream(f"{number}", f"source {number}", "HAADF")
        odd = {f"X{number}-{i}": 1 for i in range(2)}
        stages = {f"stage {number}": 1.0}
        metrics.take(analysis(stream, counts=odd, stages_ms=stages))
        metrics.take(gap(0, 0, f"reason {number}"))
    found = samples(metrics.registry.collect())
    counted = [name for name in found if name.startswith("atomstream_analyses_total")]
    assert len(counted) == MOST + 1
    other = "atomstream_analyses_total{channel=other,source=other}"
    assert found[other] == 1000 - MOST
    assert found["atomstream_frames_missing_total{cause=other}"] == 1000
    assert len(found) < 3000


def text_after(*events: Event) -> str:
    """What Prometheus is sent."""
    metrics = ServiceMetrics(lambda: 0.0, 1e9)
    for event in events:
        metrics.take(event)
    return generate_latest(metrics.registry).decode()


def test_any_name_of_a_source_can_be_read_back() -> None:
    text = text_after(analysis(Stream("x", 'a "b"\n\\', "é")))
    (family,) = (
        each
        for each in text_string_to_metric_families(text)
        if each.name == "atomstream_analyses"
    )
    assert family.samples[0].labels == {"source": 'a "b"\n\\', "channel": "é"}


def test_promtool_finds_nothing_wrong() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool, of Prometheus")
    text = text_after(
        HEARD,
        stands(link_s=0.1, restarts={"analyse": 1}),
        analysis(stages_ms={"network": 1.0}),
    )
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


ROW = re.compile(r"^\| `(atomstream_\w+)` \| (\w+) \| ([^|]*) \| (.+) \|$", re.M)


def test_the_documentation_has_every_metric() -> None:
    metrics = ServiceMetrics(lambda: 0.0, 1e9)
    state = stands(link_s=0.1, restarts={"analyse": 1})
    for event in (HEARD, state, analysis(stages_ms={"x": 1.0})):
        metrics.take(event)
    of_page = PageMetrics(Hub("here", lambda: 0.0))
    in_code = {}
    for family in (*metrics.registry.collect(), *of_page.registry.collect()):
        sample = next(each for each in family.samples if "created" not in each.name)
        kind = {"info": "gauge"}.get(family.type, family.type)
        suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
        labels = ", ".join(f"`{name}`" for name in sample.labels if name != "le")
        in_code[family.name + suffix] = (kind, labels, family.documentation)
    page = Path(__file__).parents[3] / "docs" / "metrics.md"
    in_docs = {name: tuple(rest) for name, *rest in ROW.findall(page.read_text())}
    assert in_docs == in_code, "docs/metrics.md: the table is not that of the code"
    for cause in (*CAUSES.values(), "other"):
        assert f"| `{cause}` |" in page.read_text()
