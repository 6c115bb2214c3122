"""The page as a browser gets it: a real server, a real websocket, no browser."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from atomstream.bench.page.viewer import Viewer
from dashboard.grid import COLUMNS
from dashboard.hub import Hub
from dashboard.server import Dashboard
from dashboard.snapshot import LinkState
from streamer.analysis import Analysis

type Movie = Callable[[int], Analysis]
type Scenario = Callable[[str], Awaitable[None]]


@pytest.fixture
def hub() -> Hub:
    # Time stands still, so that nobody is served because another took too long.
    return Hub("tcp://127.0.0.1:5556", lambda: 0.0)


@pytest.fixture
def play(hub: Hub) -> Iterator[Callable[[Scenario], None]]:
    """Runs a scenario against a server of the hub."""
    with Dashboard(hub, port=0) as dashboard:
        yield lambda scenario: asyncio.run(scenario(dashboard.url))


class Looker(Viewer):
    """A viewer who wishes, and reads what the page says."""

    async def wish(self, verb: str, what: str | int = 0) -> None:
        number = time.monotonic_ns() % 2**31
        entries = [["verb", verb], ["object", what], ["number", number]]
        await self.set("wish", {"type": "map", "entries": entries})

    async def after(self, verb: str, what: str | int = 0) -> tuple[str, str, str]:
        """The headline once a wish is granted."""
        await self.paint()
        await self.wish(verb, what)
        await self.update()
        await self.paint()
        return self.headline()

    def headline(self) -> tuple[str, str, str]:
        return self.text("mode"), self.text("frame"), self.text("behind")

    def text(self, name: str) -> str:
        """What the page says at one of its places."""
        return dict(self.told["texts"]["entries"])[name]


def test_a_page_that_is_opened_first_waits_and_then_shows_the_first_frame(
    hub: Hub, play: Callable[[Scenario], None], movie: Movie
) -> None:
    async def scenario(url: str) -> None:
        async with Looker.open(url) as viewer:
            assert viewer.text("mode") == "WAITING"
            assert viewer.text("notice") == (
                "Waiting for the first frame from tcp://127.0.0.1:5556"
            )
            await viewer.paint()
            hub.add(movie(0))
            await viewer.update()
            assert (viewer.text("frame"), viewer.text("notice")) == ("0", "")

    play(scenario)


def test_a_slow_browser_gets_the_newest_frame_and_none_of_those_it_missed(
    hub: Hub, play: Callable[[Scenario], None], movie: Movie
) -> None:
    # However slow this machine is, the browser is not yet given up for hidden.
    hub.clock = lambda: 0.0
    hub.add(movie(0))

    async def scenario(url: str) -> None:
        async with Looker.open(url) as viewer:
            for seq in range(1, 6):
                hub.add(movie(seq))
            await viewer.paint()
            await viewer.update()
            assert viewer.text("frame") == "5"
            assert viewer.told["sent"] == 2

    play(scenario)


def test_an_update_of_a_full_size_frame_takes_less_than_0_9_megabytes(
    hub: Hub, play: Callable[[Scenario], None], full_size_movie: Movie
) -> None:
    first = full_size_movie(0)
    assert 9_000 < len(first.atoms) < 10_000
    for seq in (0, COLUMNS - 2):
        hub.add(replace(first, seq=seq))

    async def scenario(url: str) -> None:
        async with Looker.open(url) as viewer:
            await viewer.paint()
            hub.add(replace(full_size_movie(1), seq=COLUMNS - 1))
            assert await viewer.update() < 900_000

    play(scenario)


def test_all_that_an_update_changes_travels_as_one_message(
    hub: Hub, play: Callable[[Scenario], None], movie: Movie
) -> None:
    hub.add(movie(0))

    async def scenario(url: str) -> None:
        async with Looker.open(url) as viewer:
            await viewer.paint()
            hub.add(movie(1))
            changed: list[str] = []
            while "sending" not in changed:  # the decoder's answer comes by itself
                _, content = await viewer.hear()
                changed = [event.get("attr") for event in content.get("events", [])]
            assert (changed[0], changed[-1]) == ("sending", "sent")
            assert changed.count("data") > 3

    play(scenario)


def test_a_viewer_pauses_goes_back_and_returns_to_live(
    hub: Hub, play: Callable[[Scenario], None], movie: Movie
) -> None:
    hub.set_link(LinkState.RECEIVING)
    for seq in range(4):
        hub.add(movie(seq))

    async def scenario(url: str) -> None:
        async with Looker.open(url) as viewer:
            said = [await viewer.after("pause")]
            hub.add(movie(4))
            await viewer.update()
            said.append(viewer.headline())
            said.append(await viewer.after("seek", 1))
            said.append(await viewer.after("live"))
            assert said == [
                ("PAUSED", "3", ""),
                ("PAUSED", "3", "1 behind"),
                ("HISTORY", "1", "3 behind"),
                ("LIVE", "4", ""),
            ]

    play(scenario)


def test_two_viewers_look_at_different_frames(
    hub: Hub, play: Callable[[Scenario], None], movie: Movie
) -> None:
    for seq in range(3):
        hub.add(movie(seq))

    async def scenario(url: str) -> None:
        async with Looker.open(url) as one, Looker.open(url) as other:
            await one.after("seek", 0)
            assert (one.text("frame"), other.text("frame")) == ("0", "2")

    play(scenario)


def test_of_ten_viewers_nine_see_every_frame_while_one_sleeps(
    hub: Hub, play: Callable[[Scenario], None], movie: Movie
) -> None:
    hub.add(movie(0))

    async def scenario(url: str) -> None:
        async with AsyncExitStack() as stack:
            viewers = [
                await stack.enter_async_context(Looker.open(url)) for _ in range(10)
            ]
            *awake, asleep = viewers
            for viewer in awake:
                await viewer.paint()
            for seq in range(1, 6):
                hub.add(movie(seq))
                for viewer in awake:
                    await viewer.update()
                    await viewer.paint()
                assert {viewer.text("frame") for viewer in awake} == {str(seq)}
            assert asleep.text("frame") == "0"
            await asleep.paint()
            await asleep.update()
            assert asleep.text("frame") == "5", "what it missed is not sent any more"

    play(scenario)


def test_stopping_closes_open_pages_and_frees_the_hub_of_them(
    hub: Hub, movie: Movie, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(dashboard: Dashboard) -> None:
        async with Looker.open(dashboard.url):
            assert hub.listeners == 1
            await asyncio.to_thread(dashboard.stop)

    dashboard = Dashboard(hub, port=0)
    dashboard.start()
    asyncio.run(scenario(dashboard))
    hub.add(movie(0))
    assert hub.listeners == 0
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == []


def test_a_page_of_another_site_cannot_read_along(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(url: str) -> None:
        request = HTTPRequest(
            url.replace("http", "ws") + "/ws", headers={"Origin": "http://example.org"}
        )
        with pytest.raises(HTTPClientError, match="403"):
            await websocket_connect(request, subprotocols=["bokeh", "token"])

    play(scenario)
