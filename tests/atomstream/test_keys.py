"""Keys on the command line: making them, letting others in, and what needs them."""

import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import zmq

from atomstream.ports import free_address
from streamer.events import Ended, Received, Silent
from streamer.handshake import OTHERWISE_PROTECTED
from streamer.keys import KeyFolder
from streamer.security import CurveClient
from streamer.session.reader import SessionReader
from streamer.subscriber import Subscriber

type Run = Callable[..., Any]
type Spawn = Callable[..., subprocess.Popen[str]]
BEYOND = "tcp://0.0.0.0:0"
ELSEWHERE = "tcp://192.0.2.77:5555"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of this user's keys, which is empty at first."""
    folder = tmp_path / "home"
    monkeypatch.setenv("ATOMSTREAM_KEYS", str(folder))
    return folder


def test_new_keys_are_shown_and_never_overwritten(run: Run, home: Path) -> None:
    made = run("keys", "new")
    assert made.code == 0
    public = made.out.splitlines()[-1]
    assert (home / "public.key").read_text().strip() == public
    assert stat.S_IMODE((home / "private.key").stat().st_mode) == 0o600
    assert run("keys", "show").out == f"{public}\n"
    again = run("keys", "new")
    assert again.code == 2
    assert again.err.startswith(f"atomstream: {home}/private.key exists and is kept")
    assert run("keys", "show").out == f"{public}\n"
    assert run("keys", "new", "--renew").out.splitlines()[-1] != public


def test_no_command_prints_the_private_key(run: Run, home: Path) -> None:
    outcomes = [run("keys", "new"), run("keys", "show"), run("keys", "list")]
    outcomes.append(run("keys", "allow", "me", home / "private.key"))
    private = KeyFolder(home).private().hex()
    assert not any(private in outcome.out + outcome.err for outcome in outcomes)


def test_a_folder_of_keys_can_be_named(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert run("keys", "new", "--keys", other).code == 0
    shown = run("keys", "show", "--keys", other).out.strip()
    assert KeyFolder(other).public().hex() == shown
    assert run("keys", "show").code == 2


def test_who_is_allowed_is_listed_until_revoked(run: Run) -> None:
    key = "ab" * 32
    assert run("keys", "list").out.startswith("nobody is allowed in ")
    assert run("keys", "allow", "analysis-pc", key).code == 0
    listed = run("keys", "list").out
    assert "analysis-pc" in listed
    assert key in listed
    assert run("keys", "revoke", "analysis-pc").code == 0
    assert run("keys", "list").out.startswith("nobody is allowed in ")


MISUSES = {
    "no keys yet": (("keys", "show"), "make them with `atomstream keys new`"),
    "no such name": (("keys", "revoke", "pc"), "no 'pc' on the list; on it: nobody"),
    "a name of a path": (("keys", "allow", "../pc", "ab" * 32), "1 to 64 letters"),
    "no key": (("keys", "allow", "pc", "abc"), "expected 64 hexadecimal digits"),
    "the wrong order": (("keys", "allow", "ab" * 32, "pc"), "the name comes first"),
    "publishing to all": (
        ("replay", "{movie}", "--bind", BEYOND), "make them with `atomstream keys new`",
    ),
    "secure without keys": (
        ("replay", "{movie}", "--bind", "tcp://127.0.0.1:0", "--secure"),
        "make them with `atomstream keys new`",
    ),
    "secure and insecure": (
        ("replay", "{movie}", "--bind", BEYOND, "--secure", "--insecure"),
        "make them with `atomstream keys new`",
    ),
    "analyses to all": (
        ("serve", "--connect", "tcp://127.0.0.1:5", "--record", "{session}",
         "--publish", BEYOND),
        f"{BEYOND} needs keys",
    ),
    "frames from elsewhere": (
        ("serve", "--connect", ELSEWHERE, "--record", "{session}"),
        f"{ELSEWHERE} is another computer: give --server-key",
    ),
    "a tap elsewhere": (("tap", ELSEWHERE), "give --server-key"),
    "a page of elsewhere": (("dashboard", "--connect", ELSEWHERE), "--server-key"),
    "a doctor of elsewhere": (("doctor", "--connect", ELSEWHERE), "--server-key"),
    "a server key without one's own": (
        ("tap", ELSEWHERE, "--server-key", "ab" * 32),
        "make them with `atomstream keys new`",
    ),
    "too many server keys": (
        ("serve", "--connect", ELSEWHERE, "--record", "{session}",
         "--server-key", "ab" * 32, "--server-key", "cd" * 32),
        "2 --server-key for 1 addresses",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISUSES)
def test_what_lacks_a_key_is_refused_in_one_line(
    tmp_path: Path, run: Run, movie: Path, name: str
) -> None:
    arguments, says = MISUSES[name]
    session = tmp_path / "session"
    outcome = run(
        *(argument.format(movie=movie, session=session) for argument in arguments)
    )
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert outcome.err.startswith("atomstream: ")
    assert says in outcome.err
    assert not session.exists()


def test_without_keys_beyond_this_computer_only_when_told_and_with_a_warning(
    run: Run, movie: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = run(
        "replay", movie, "--bind", BEYOND, "--insecure", "--period", "0",
        "--linger", "0",
    )  # fmt: skip
    assert outcome.code == 0
    assert f"{BEYOND} is not protected" in caplog.text


def test_the_service_has_its_frames_and_gives_its_analyses_by_keys_alone(
    tmp_path: Path, run: Run, spawn: Spawn, movie: Path
) -> None:
    microscope, service = tmp_path / "microscope", tmp_path / "service"
    viewer = tmp_path / "viewer"
    for folder in (microscope, service, viewer):
        assert run("keys", "new", "--keys", folder).code == 0
    for where, name, who in (
        (microscope, "service", service), (service, "viewer", viewer),
    ):  # fmt: skip
        public = who / "public.key"
        assert run("keys", "allow", name, public, "--keys", where).code == 0
    source, analyses, session = free_address(), free_address(), tmp_path / "session"
    replay = spawn(
        "replay", movie, "--bind", source, "--period", "0.1", "--secure",
        "--keys", microscope,
    )  # fmt: skip
    serve = spawn(
        "serve", "--connect", source, "--server-key", microscope / "public.key",
        "--secure", "--publish", analyses, "--dashboard", "127.0.0.1:0",
        "--record", session, "--keys", service,
    )  # fmt: skip
    server = KeyFolder(service).public()
    security = {analyses: CurveClient(KeyFolder(viewer), server)}
    with zmq.Context() as context:
        with Subscriber(context, [analyses], security=security) as subscriber:
            events = [subscriber.receive(60)]
            while not isinstance(events[-1], Ended):
                events.append(subscriber.receive(60))
                assert events[-1] is not None
        with Subscriber(context, [analyses]) as outsider:
            silent = outsider.receive(10)
    assert sum(isinstance(event, Received) for event in events) == 3
    assert isinstance(silent, Silent)
    assert silent.reason == OTHERWISE_PROTECTED
    children = psutil.Process(serve.pid).children(recursive=True)
    lines = [" ".join(child.cmdline()) for child in children]
    assert len(lines) >= 3
    assert replay.wait(20) == 0
    serve.terminate()
    said, _ = serve.communicate(timeout=20)
    private = KeyFolder(service).private().hex()
    assert private not in said + " ".join(lines)
    assert "refused" not in said  # the page has the keys of the service it belongs to
    with SessionReader(session) as reader:
        assert reader.totals().frames == 3
