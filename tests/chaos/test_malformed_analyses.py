"""Analyses that follow the protocol and make no sense: the dashboard stays up."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import zmq
from bokeh.document import Document
from hypothesis import HealthCheck, given, settings

from dashboard.document import empty_place
from dashboard.drawing import PLACES
from dashboard.hub import Hub
from dashboard.live_feed import LiveFeed
from dashboard.page import Page
from dashboard.snapshot import LinkState
from dashboard.state import PageState
from streamer.analysis import Analysis, ModelId, Preview, Summary
from streamer.atoms import FIXED_COLUMNS, Atoms
from streamer.errors import WireError
from streamer.frame import Stream
from streamer.messages import Content, Feed, FeedState, Heartbeat
from streamer.wire import pack, unpack
from tests.chaos.counting import wanted
from tests.chaos.mutation import VALID, header_of, mutant, with_header
from tests.streamer.test_wire import analyses

type Context = zmq.Context[zmq.Socket[bytes]]

GOOD = unpack(VALID["analysis"]).message
assert isinstance(GOOD, Analysis)
WITHIN_S = 60.0


def atoms(
    count: int, latents: tuple[str, ...] = ("crystallinity",), value: float = 0.0
) -> Atoms:
    """A table in which every number is the same."""
    columns = {name: np.zeros(count, dtype) for name, dtype in FIXED_COLUMNS.items()}
    columns |= {name: np.zeros(count, np.float32) for name in latents}
    for column in columns.values():
        if column.dtype == np.float32:
            column[:] = value
    return Atoms.from_columns(columns)


def numbers(value: float) -> Analysis:
    """An analysis whose every number is `value`."""
    return replace(
        GOOD,
        time_s=value,
        dose_e_nm2=value,
        latency_s=value,
        origin_nm=(value, value),
        stages_ms={"segment": value},
        summary=Summary({"C": 2**63 - 1}, value, value, value, value, value),
        preview=Preview(np.zeros((3, 4), np.uint8), value, value),
        atoms=atoms(5, value=max(-3e38, min(value, 3e38))),
    )


def with_latents(*names: str) -> Analysis:
    model = replace(GOOD.model, latents=names)
    return replace(GOOD, model=model, atoms=atoms(5, tuple(dict.fromkeys(names))))


def with_preview(*shape: int) -> Analysis:
    return replace(GOOD, preview=Preview(np.zeros(shape, np.uint8), 0.0, 1.0))


ODD = {
    "NaN": numbers(math.nan),
    "infinite": numbers(math.inf),
    "largest": numbers(1.7e308),
    "most negative": numbers(-1.7e308),
    "no preview": with_preview(0, 0),
    "flat preview": with_preview(0, 1024),
    "a latent twice": with_latents("z1", "z1"),
    "latents called as columns": with_latents("x", "species", "angle_deg", "index"),
    "a latent without a name, one of markup": with_latents("", "<script>alert(1)"),
    "tiny angle": replace(GOOD, model=replace(GOOD.model, angle_period_rad=5e-324)),
    "tiny pixels": replace(GOOD, pixel_size_nm=5e-324, atoms=atoms(5)),
    "huge pixels": replace(GOOD, pixel_size_nm=1.7e308, atoms=atoms(5)),
    "last number there is": replace(GOOD, seq=2**63 - 2),
    "many atoms": replace(GOOD, atoms=atoms(200_000)),
    "no atoms and no latents": replace(
        GOOD, model=replace(GOOD.model, latents=()), atoms=atoms(0, ())
    ),
}


@pytest.fixture
def hub() -> Hub:
    return Hub("here", time.monotonic)


def travelled(analysis: Analysis) -> Analysis:
    """What arrives of it: nothing that the wire refuses can reach a hub."""
    message = unpack(pack(analysis, 0)).message
    assert isinstance(message, Analysis)
    return message


# Of numbers beyond 2^53 a browser sees the nearest that it can.
@pytest.mark.filterwarnings("ignore:out of range integer")
@pytest.mark.parametrize("name", ODD)
def test_a_page_shows_it_and_what_comes_after_it(hub: Hub, name: str) -> None:
    odd = travelled(ODD[name])
    state = PageState(name="state", stale_after_s=60.0)
    places = {place: empty_place(place) for place in PLACES}
    page, document = Page(hub, state, places), Document()
    for root in (state, *places.values()):
        document.add_root(root)
    for number, analysis in enumerate([odd, replace(odd, seq=5), GOOD], start=1):
        hub.add(analysis)
        page.refresh()
        page.painted(number)
    assert document.to_json()
    (channel,) = hub.snapshot.channels.values()
    assert channel.history.records["seq"][-1] >= GOOD.seq
    assert state.texts["frame"] != ""


def test_any_analysis_that_the_wire_lets_through_is_shown(
    pytestconfig: pytest.Config,
) -> None:
    @settings(
        max_examples=wanted(pytestconfig, 100, 3_000),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(analyses, analyses)
    def holds(first: Analysis, second: Analysis) -> None:
        hub = Hub("here", lambda: 0.0)
        for analysis in (first, second, replace(second, seq=first.seq)):
            hub.add(travelled(replace(analysis, stream=GOOD.stream)))
        assert len(hub.snapshot.channels) == 1

    holds()


@pytest.mark.parametrize("radians", [0.0, -1.0, math.nan, math.inf, 7.0])
def test_angles_that_repeat_after_nothing_are_refused(radians: float) -> None:
    fields = header_of(VALID["analysis"])
    model = fields["model"]
    assert isinstance(model, dict)
    model["angle_period_rad"] = radians
    with pytest.raises(WireError, match="angles that repeat after"):
        unpack(with_header(VALID["analysis"], fields))
    with pytest.raises(ValueError, match="angles that repeat after"):
        ModelId("a", "b", (), radians)


@pytest.fixture
def service() -> Iterator[zmq.Socket[bytes]]:
    """Where analyses are published, by a program that says whatever we say."""
    with zmq.Context() as context, context.socket(zmq.XPUB) as live:
        live.linger = 0
        live.xpub_nodrop = True
        live.bind("tcp://127.0.0.1:*")
        yield live


def comes_true(condition: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + WITHIN_S
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return condition()


def test_a_dashboard_goes_on_after_malformed_analyses(
    service: zmq.Socket[bytes], hub: Hub, pytestconfig: pytest.Config
) -> None:
    stream = Stream("good", "microscope", "HAADF")
    feed = Feed(Content.ANALYSIS, stream)
    good = replace(GOOD, stream=stream, seq=0)
    with LiveFeed(hub, [service.getsockopt_string(zmq.LAST_ENDPOINT)]):
        for _ in range(3):
            assert service.poll(10_000)
            service.recv()
        for seed in range(wanted(pytestconfig, 300, 20_000)):
            service.send_multipart(mutant(seed) or [b""])
        for odd in ODD.values():
            service.send_multipart(pack(odd, 0))
        states = (FeedState(feed, newest=-1, first_kept=0),)
        service.send_multipart(pack(Heartbeat(None, states), 0))
        service.send_multipart(pack(good, 0))
        assert comes_true(lambda: "microscope · HAADF" in hub.snapshot.channels)
        assert hub.snapshot.link.state is LinkState.RECEIVING
