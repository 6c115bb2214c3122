"""Who does not know the password gets nothing of the session, however they ask."""

import asyncio
import json
import re
import runpy
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from bokeh.util.token import get_token_payload
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from dashboard.access.application import GuardedApplication
from dashboard.access.guard import Guard, guard_of
from dashboard.access.passes import LIFETIME_DAYS
from dashboard.access.password import Password
from dashboard.access.terms import Access
from dashboard.hub import Hub
from dashboard.server import Dashboard
from dashboard.snapshot import LinkState
from streamer.analysis import Analysis
from streamer.frame import Stream

DRAWN = runpy.run_path(str(Path(__file__).parents[1] / "dashboard" / "conftest.py"))

PASSWORD = "correct horse battery staple"
WITHIN_S = 60.0
DAY_S = 24 * 3600
WRONG_LOGINS = 1000

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW")
FILLINGS = ("", "x", "js/bokeh.min.js", "page.css", "..%2Fserver.py", "%2e%2e/page.py")
"""What may stand where a route leaves something open; some of it is a file."""
QUERIES = ("", "?bokeh-session-id=guess", "?bokeh-autoload-element=1")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAGES_OWN_SAY = re.compile(
    rb"<html><title>(40\d: [\w ]+)</title><body>\1</body></html>"
)

type Start = Callable[..., "Server"]
type Heard = asyncio.Queue[str | bytes | None]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Server:
    """A running server, and how to ask it."""

    port: int
    application: GuardedApplication
    access: Access
    line: HTTPConnection

    @property
    def guard(self) -> Guard:
        assert self.application.guard is not None
        return self.application.guard

    def ask(
        self, verb: str, path: str, body: str | None = None, **headers: str
    ) -> Answer:
        """What comes back; redirects are not followed."""
        self.line.request(verb, path, body, headers)
        answer = self.line.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())

    def log_in(self, password: str = PASSWORD, **headers: str) -> Answer:
        body = urlencode({"password": password})
        return self.ask("POST", "/login", body, **FORM, **headers)

    def cookie(self) -> str:
        """Of somebody who knows the password."""
        answer = self.log_in()
        assert answer.status == 303
        return answer.headers["Set-Cookie"].partition(";")[0]

    def token(self, cookie: str) -> str:
        """By which a page opens its websocket."""
        html = self.ask("GET", "/", Cookie=cookie).body.decode()
        found = re.search(r'"token":"([^"]+)"', html)
        assert found is not None
        return found[1]

    @asynccontextmanager
    async def page(self, token: str, **headers: str) -> AsyncIterator["Page"]:
        """A websocket as the page opens it."""
        heard: Heard = asyncio.Queue()
        socket = await websocket_connect(
            HTTPRequest(f"ws://127.0.0.1:{self.port}/ws", headers=headers),
            subprotocols=["bokeh", token],
            max_message_size=2**28,
            on_message_callback=heard.put_nowait,
        )
        yield Page(socket, heard)
        socket.close()
        while await heard.get() is not None:
            pass

    async def document(self, token: str, **headers: str) -> bytes:
        """All that a page is told before it can show something."""
        async with self.page(token, **headers) as page:
            welcome = await page.message()
            for part in ({"msgid": "1", "msgtype": "PULL-DOC-REQ"}, {}, {}):
                await page.socket.write_message(json.dumps(part))
            return welcome + await page.message()

    def refuses(self, token: str, **headers: str) -> int:
        """The status with which a websocket is refused; 0 if it is opened."""

        async def knock() -> int:
            try:
                async with self.page(token, **headers) as page:
                    assert await page.message()
            except HTTPClientError as error:
                return error.code
            return 0

        return asyncio.run(knock())


@dataclass(frozen=True)
class Page:
    """The far end of a websocket."""

    socket: WebSocketClientConnection
    heard: Heard

    async def message(self) -> bytes:
        """The next one of Bokeh's; empty when the connection is closed."""
        parts: list[bytes] = []
        expected = 3
        while len(parts) < expected:
            part = await asyncio.wait_for(self.heard.get(), WITHIN_S)
            if part is None:
                self.heard.put_nowait(None)
                return b""
            parts.append(part.encode() if isinstance(part, str) else part)
            if len(parts) == 1:
                expected += 2 * json.loads(parts[0]).get("num_buffers", 0)
        return b"".join(parts)


def comes_true(condition: Callable[[], bool]) -> bool:
    """Whether `condition` holds within a while."""
    deadline_s = time.monotonic() + WITHIN_S
    while not condition() and time.monotonic() < deadline_s:
        pass
    return condition()


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    """A frame with names of its own."""
    drawn: Analysis = DRAWN["Movie"](side_px=192)(0)
    stream = Stream(drawn.stream.id, "microscope-of-room-7", "HAADF-left")
    model = replace(drawn.model, name="model-of-room-7")
    return replace(drawn, stream=stream, model=model)


@pytest.fixture(scope="module")
def secrets(analysis: Analysis) -> dict[str, bytes]:
    """What nobody else is to know, in the bytes that would travel."""
    carbon = analysis.atoms.species == 0
    return {
        "source": b"microscope-of-room-7",
        "channel": b"HAADF-left",
        "model": b"model-of-room-7",
        "pixels": analysis.preview.image[50].tobytes(),
        "atoms": analysis.atoms.x_nm[carbon][:16].tobytes(),
    }


@pytest.fixture(scope="module")
def start(analysis: Analysis) -> Iterator[Start]:
    """Starts servers of one session, each with who may open it."""
    hub = Hub("tcp://microscope-of-room-7:5557", time.monotonic)
    hub.set_link(LinkState.RECEIVING)
    hub.add(analysis)
    with ExitStack() as stack:

        def started(access: Access) -> Server:
            dashboard = stack.enter_context(Dashboard(hub, port=0, access=access))
            assert dashboard._running is not None
            running = dashboard._running
            line = HTTPConnection("127.0.0.1", running.port, timeout=WITHIN_S)
            stack.callback(line.close)
            return Server(running.port, running.application, access, line)

        yield started


@pytest.fixture(scope="module")
def server(start: Start) -> Server:
    return start(Access(Password.of(PASSWORD)))


def routes(application: GuardedApplication) -> list[str]:
    """A regular expression for each route of the running server."""
    rules = list(application.wildcard_router.rules)
    for host in application.default_router.rules:
        rules += getattr(host.target, "rules", [])
    matchers = [rule.matcher for rule in rules]
    return sorted({m.regex.pattern for m in matchers if hasattr(m, "regex")})


def paths(application: GuardedApplication) -> list[str]:
    """What to ask for: each route, with everything that it might leave open."""
    plain = {each.rstrip("$").replace("/?", "/") for each in routes(application)}
    filled = {re.sub(r"\(.*?\)", part, each) for each in plain for part in FILLINGS}
    asked = {each + query for each in plain if "(" not in each for query in QUERIES}
    return sorted(filled | asked)


def no_good(server: Server) -> dict[str, str]:
    """Cookies of those who are not to be let in, by what is wrong with them."""
    name = server.guard.cookie
    old_word = Access(Password.of("the word of last year"), secret=server.access.secret)
    good, left = server.cookie(), server.cookie()
    assert server.ask("POST", "/logout", Cookie=left).status == 303

    def issued(access: Access, port: int = server.port, ago_s: float = 0.0) -> str:
        guard = guard_of(access, port)
        assert guard is not None
        guard.passes._clock_s = lambda: time.time() - ago_s
        return f"{name}={guard.passes.issue()}"

    return {
        "none": "",
        "empty": f"{name}=",
        "invented": f"{name}=viewer",
        "altered": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "cut": good[: len(good) // 2],
        "under another name": good.replace(name, f"{name}0", 1),
        "of the server at another port": issued(server.access, server.port + 1),
        "of the server before it was restarted": issued(Access(server.access.password)),
        "of the password before": issued(old_word),
        "expired": issued(server.access, ago_s=LIFETIME_DAYS * DAY_S + 60),
        "logged out": left,
    }


def headers_with(cookie: str) -> dict[str, str]:
    return {"Cookie": cookie} if cookie else {}


def foreign(server: Server) -> list[str]:
    """Origins of pages that are not this server's."""
    own = f"127.0.0.1:{server.port}"
    return [
        "http://evil.example",
        f"http://evil.example:{server.port}",
        f"http://{own}.evil.example",
        f"http://{own}@evil.example",
        f"http://127.0.0.1:{server.port - 1}",
        "http://127.0.0.1",
        f"http://[::2]:{server.port}",
        "http://127.0.0.1:99999999",
        f"//{own}:80",
        "file://",
        "null",
        "",
    ]


def test_who_knows_the_password_gets_everything(
    server: Server, secrets: dict[str, bytes]
) -> None:
    """Without this, finding nothing below would mean nothing."""
    cookie = server.cookie()
    document = asyncio.run(server.document(server.token(cookie), Cookie=cookie))
    assert [name for name, secret in secrets.items() if secret not in document] == []
    for path in ("/", "/static/js/bokeh.min.js", "/assets/page.css", "/favicon.ico"):
        assert server.ask("GET", path, Cookie=cookie).status == 200


def test_every_route_is_among_those_that_are_tried(server: Server) -> None:
    tried = paths(server.application)
    for pattern in routes(server.application):
        assert [path for path in tried if re.fullmatch(pattern, path)], pattern
    for known in ("/", "/ws", "/autoload.js", "/metadata", "/static/js/bokeh.min.js"):
        assert known in tried


def test_no_route_says_anything_to_those_without_a_good_pass(
    server: Server, secrets: dict[str, bytes]
) -> None:
    """Nothing, or the page that asks for the password, which is always the same."""
    asking = server.ask("GET", "/login").body
    assert [name for name, secret in secrets.items() if secret in asking] == []
    tried: Counter[str] = Counter()
    said: list[tuple[str, ...]] = []
    for wrong, cookie in no_good(server).items():
        for path in paths(server.application):
            for verb in VERBS:
                if (verb, path.partition("?")[0]) == ("POST", "/login"):
                    continue  # a wrong password; see below
                answer = server.ask(verb, path, **headers_with(cookie))
                tried[wrong] += 1
                empty = not answer.body or PAGES_OWN_SAY.fullmatch(answer.body)
                if not empty and answer.body != asking:
                    said.append((wrong, verb, path))
                if answer.status == 200 and not path.startswith("/login"):
                    said.append((wrong, verb, path))
    assert said == []
    assert min(tried.values()) > 100


def test_a_websocket_is_not_even_opened_without_a_good_pass(server: Server) -> None:
    """Though whoever asks has the token of a page that was opened with one."""
    token = server.token(server.cookie())
    for wrong, cookie in no_good(server).items():
        assert (wrong, server.refuses(token, **headers_with(cookie))) == (wrong, 403)


def test_pages_from_elsewhere_are_refused_though_the_browser_has_a_pass(
    server: Server,
) -> None:
    cookie = server.cookie()
    token = server.token(cookie)
    for origin in foreign(server):
        assert server.refuses(token, Cookie=cookie, Origin=origin) == 403
        for path in paths(server.application):
            answer = server.ask("GET", path, Cookie=cookie, Origin=origin)
            assert (answer.status, origin, path) == (403, origin, path)
            assert answer.body.startswith(b"This page is not open to ")
            assert "Access-Control-Allow-Origin" not in answer.headers


def test_another_site_cannot_log_somebody_in_or_out(server: Server) -> None:
    cookie = server.cookie()
    assert server.log_in(Origin="http://evil.example").status == 403
    assert server.ask("GET", "/logout", Cookie=cookie).status == 405
    assert server.ask("GET", "/", Cookie=cookie).status == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "LocalHost"])
def test_the_servers_own_pages_are_let_through(server: Server, host: str) -> None:
    cookie = server.cookie()
    origin = f"http://{host}:{server.port}"
    assert server.refuses(server.token(cookie), Cookie=cookie, Origin=origin) == 0


def test_another_name_is_let_through_when_it_is_allowed(start: Start) -> None:
    server = start(Access(origins=("atoms.example:443", "lab:8000")))
    token = server.token("")
    for origin in ("https://atoms.example", "http://lab:8000"):
        assert server.refuses(token, Origin=origin) == 0
    for origin in ("https://lab", "https://atoms.example:444"):
        assert server.refuses(token, Origin=origin) == 403


def test_the_sites_of_others_are_refused_by_an_open_server_too(start: Start) -> None:
    server = start(Access())
    token = server.token("")
    assert server.refuses(token) == 0
    assert server.refuses(token, Origin="http://evil.example") == 403
    answer = server.ask("GET", "/autoload.js?bokeh-autoload-element=1")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_no_session_is_opened_by_a_token_that_somebody_made_up(
    server: Server, start: Start
) -> None:
    """Not even with a good pass."""
    cookie = server.cookie()
    token = server.token(cookie)
    content, _, signature = token.partition(".")
    elsewhere = start(Access()).token("")
    swapped = f"{content}.{signature[::-1]}"
    for forged in (content, swapped, elsewhere, "guess", "bnVsbA.x", "x"):
        assert server.refuses(forged, Cookie=cookie) == 403
    for query in ("?bokeh-session-id=guess", f"?bokeh-token={elsewhere}"):
        assert server.ask("GET", f"/{query}", Cookie=cookie).status == 403


def test_a_page_cannot_read_the_pass_of_its_browser(server: Server) -> None:
    answer = server.log_in()
    attributes = answer.headers["Set-Cookie"].split("; ")[1:]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    told = json.dumps(get_token_payload(server.token(cookie)))
    assert cookie.partition("=")[2].strip('"') not in told
    assert '"cookies": {}' in told


def test_open_pages_are_closed_when_their_viewer_logs_out(server: Server) -> None:
    mine, theirs = server.cookie(), server.cookie()
    tokens = server.token(mine), server.token(theirs)

    async def scenario() -> None:
        async with (
            server.page(tokens[0], Cookie=mine) as my_page,
            server.page(tokens[1], Cookie=theirs) as their_page,
        ):
            for page in (my_page, their_page):
                assert await page.message()
            left = await asyncio.to_thread(server.ask, "POST", "/logout", Cookie=mine)
            assert left.status == 303
            assert await my_page.message() == b""
            assert their_page.heard.empty()
            their_page.socket.ping()

    asyncio.run(scenario())


def test_open_pages_are_closed_when_their_pass_runs_out(start: Start) -> None:
    server = start(Access(Password.of(PASSWORD)))
    cookie = server.cookie()
    token = server.token(cookie)

    async def scenario() -> None:
        async with server.page(token, Cookie=cookie) as page:
            assert await page.message()
            later_s = LIFETIME_DAYS * DAY_S + 60
            server.guard.passes._clock_s = lambda: time.time() + later_s
            assert await page.message() == b""

    asyncio.run(scenario())


def test_a_thousand_wrong_passwords_open_nothing_and_shut_nobody_out(
    start: Start, record_property: Callable[[str, object], None]
) -> None:
    server = start(Access(Password.of(PASSWORD)))
    inside = server.cookie()
    asking = server.ask("GET", "/login").body
    began_s = time.monotonic()
    answers: Counter[int] = Counter()
    others: set[bytes] = set()
    for number in range(WRONG_LOGINS):
        answer = server.log_in(f"{PASSWORD}{number}")
        answers[answer.status] += 1
        assert "Set-Cookie" not in answer.headers
        others.add(re.sub(rb'<p .*</p>|\s|aria-[a-z]+="\w+"', b"", answer.body))
    took_s = time.monotonic() - began_s
    assert others == {re.sub(rb"\s", b"", asking)}
    assert set(answers) == {403, 429}
    assert answers[403] <= 4 + took_s, "each of them was looked at"
    too_soon = server.log_in()
    assert too_soon.status == 429
    assert 0 < int(too_soon.headers["Retry-After"]) <= 60
    assert server.ask("GET", "/", Cookie=inside).status == 200
    assert comes_true(lambda: server.log_in().status == 303)
    figures = {"wrong": WRONG_LOGINS, "looked at": answers[403], "s": round(took_s, 1)}
    record_property("figures", json.dumps(figures))


def test_who_is_wrong_from_elsewhere_keeps_nobody_waiting(start: Start) -> None:
    server = start(Access(Password.of(PASSWORD)))
    for number in range(10):
        line = HTTPConnection(
            "127.0.0.1", server.port, timeout=WITHIN_S, source_address=("127.0.0.2", 0)
        )
        line.request("POST", "/login", urlencode({"password": number}), FORM)
        assert line.getresponse().status == (403 if number < 3 else 429)
        line.close()
    assert server.log_in().status == 303


def test_a_request_that_is_too_large_is_not_read(server: Server) -> None:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=WITHIN_S)) as line:
        line.putrequest("POST", "/login")
        line.putheader("Content-Length", str(10 * 2**30))
        line.endheaders()
        assert line.getresponse().status == 400
