"""What the page's options say when they cannot be followed."""

import socket
import subprocess
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest

type Run = Callable[..., Any]
type Spawn = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.touch(mode=0o600)
    path.write_text("correct horse battery\n")
    return path


OPEN = (
    "could be opened by everybody in the network: give --password-file FILE, or "
    "--insecure if they all may"
)
SERVE = ("serve", "--connect", "tcp://127.0.0.1:5555", "--record", "{tmp}/session")
DASHBOARD = ("dashboard", "--connect", "tcp://127.0.0.1:5557")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*SERVE, "--dashboard", "0.0.0.0:5006"), OPEN),
        ((*DASHBOARD, "--address", "0.0.0.0:5006"), OPEN),
        (("demo", "--dashboard", "0.0.0.0:5006"), OPEN),
        ((*SERVE, "--password-file", "{tmp}/password"), "give --dashboard HOST:PORT"),
        (("demo", "--no-dashboard", "--allow-origin", "a:1"), "give --dashboard"),
        ((*DASHBOARD, "--password-file", "{tmp}/none"), "cannot be read: No such file"),
        ((*DASHBOARD, "--tls-cert", "x"), "--tls-cert and --tls-key go together"),
        ((*DASHBOARD, "--tls-cert", "x", "--tls-key", "y"), "x cannot be read"),
        ((*DASHBOARD, "--allow-origin", "*:5006"), "expected HOST:PORT"),
        ((*SERVE, "--alerts", "{tmp}/rules.toml"), "give --dashboard HOST:PORT"),
        ((*DASHBOARD, "--alerts", "{tmp}/none.toml"), "cannot be read: No such file"),
        (
            (*DASHBOARD, "--alerts", "{tmp}/rules.toml"),
            "'silicon_bellow' is no rule; do you mean silicon_below?",
        ),
        (
            (*SERVE, "--dashboard", "127.0.0.1:0", "--alerts", "{tmp}/rules.toml"),
            "do you mean silicon_below?",
        ),
    ],
)
def test_a_page_that_would_be_open_or_cannot_be_protected_is_not_served(
    run: Run, tmp_path: Path, password_file: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert password_file.exists()
    (tmp_path / "rules.toml").write_text("silicon_bellow = 1")
    outcome = run(*(each.format(tmp=tmp_path) for each in arguments))
    assert outcome.code == 2
    assert said in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not (tmp_path / "session").exists()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
        return port


def ask(
    port: int, verb: str, path: str, form: str = "", cookie: str = ""
) -> tuple[int, str]:
    """Status and cookie; status 0 if nobody answers."""
    line = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    try:
        line.request(verb, path, form, headers)
        answer = line.getresponse()
        answer.read()
    except OSError:
        return 0, ""
    finally:
        line.close()
    return answer.status, str(answer.headers["Set-Cookie"]).partition(";")[0]


def wait_for(status: int, port: int, cookie: str = "") -> None:
    """Return when the page answers so."""
    deadline_s = time.monotonic() + 120
    while ask(port, "GET", "/", cookie=cookie)[0] != status:
        assert time.monotonic() < deadline_s


def log_in(port: int) -> str:
    status, cookie = ask(port, "POST", "/login", "password=correct+horse+battery")
    assert status == 303
    return cookie


def listener_at(port: int, service: int) -> psutil.Process:
    """The process of a service that serves its page."""
    for process in psutil.Process(service).children(recursive=True):
        for socket_ in process.net_connections("tcp"):
            if socket_.status == psutil.CONN_LISTEN and socket_.laddr.port == port:
                return process
    raise AssertionError("no process listens there")


@pytest.mark.timeout(300)
def test_a_page_for_others_asks_for_the_password_and_warns_that_it_is_in_the_clear(
    spawn: Spawn, password_file: Path
) -> None:
    port = free_port()
    options = ("--address", f"0.0.0.0:{port}", "--password-file", password_file)
    page = spawn(*DASHBOARD, *options)
    wait_for(302, port)
    wait_for(200, port, log_in(port))
    page.terminate()
    said, _ = page.communicate(timeout=60)
    assert "the password and the page travel in the clear; --tls-cert" in said
    assert "Traceback" not in said


@pytest.mark.timeout(300)
def test_who_is_logged_in_stays_so_when_the_page_of_a_service_is_killed(
    spawn: Spawn, password_file: Path, tmp_path: Path
) -> None:
    port = free_port()
    service = spawn(
        *("serve", "--connect", f"tcp://127.0.0.1:{free_port()}"),
        *("--record", tmp_path / "session", "--dashboard", f"127.0.0.1:{port}"),
        *("--publish", f"tcp://127.0.0.1:{free_port()}"),
        *("--password-file", password_file),
    )
    wait_for(302, port)
    cookie = log_in(port)
    killed = listener_at(port, service.pid)
    killed.kill()
    killed.wait(60)
    wait_for(200, port, cookie)
    assert listener_at(port, service.pid).pid != killed.pid
    assert ask(port, "GET", "/")[0] == 302
