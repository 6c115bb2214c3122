"""The service as a whole: what dies comes back, what is left alone ends."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from atomstream.ports import free_address
from streamer.session.records import Totals

type Program = Any
type Running = Any
type Start = Callable[..., Program]
type Attach = Callable[..., Running]
type Noise = Callable[[int], np.ndarray[Any, np.dtype[np.float32]]]
type Report = Callable[..., None]
type Wait = Callable[[Callable[[], bool], float], None]
type ProcessWith = Callable[[Path, str], int | None]
type Count = Callable[[Path], Totals]
PATIENCE_S = 90.0
BACK_S = 3.0
"""Asserted with `--long`, which wants a machine of its own."""
DRAIN_S = 10.0


def family(service: Program) -> list[psutil.Process]:
    return psutil.Process(service.process.pid).children(recursive=True)


def page_process(service: Program, others: set[int | None]) -> int:
    """The process that serves the page: it listens on a port of its own."""
    (found,) = {
        child.pid
        for child in family(service)
        if child.pid not in others and any(
            each.status == psutil.CONN_LISTEN
            for each in child.net_connections(kind="tcp")
        )
    }  # fmt: skip
    return found


def has_more(totals: Count, session: Path, counted: str, done: int) -> bool:
    return bool(getattr(totals(session), counted) > done)


def answers(address: str) -> bool:
    """Whether a page is served there, whatever it asks for first."""
    door = http.client.HTTPConnection(address, timeout=20)
    try:
        door.request("GET", "/")
        return door.getresponse().status < 500
    except OSError:
        return False
    finally:
        door.close()


@pytest.mark.timeout(300)
def test_whichever_process_is_killed_comes_back_to_work(
    attached: Attach,
    noise_of: Noise,
    report: Report,
    wait_for: Wait,
    totals: Count,
    process_with: ProcessWith,
    long: bool,
) -> None:
    running = attached(noise_of(3000), 0.1, page=True)
    service, session, page = running.service, running.session, running.page
    wait_for(lambda: totals(session).analyses > 3 and answers(page), 90)
    back_s = {}
    for role, counted in (("recorder", "frames"), ("analyser", "analyses")):
        victim = process_with(session, role)
        assert victim
        os.kill(victim, signal.SIGKILL)
        killed_s, done = time.monotonic(), getattr(totals(session), counted)
        more = partial(has_more, totals, session, counted, done)
        wait_for(more, PATIENCE_S)
        back_s[role] = round(time.monotonic() - killed_s, 2)
    known = {process_with(session, role) for role in ("recorder", "analyser")}
    os.kill(page_process(service, known), signal.SIGKILL)
    killed_s = time.monotonic()
    wait_for(lambda: answers(page), PATIENCE_S)
    back_s["page"] = round(time.monotonic() - killed_s, 2)
    asked_s = time.monotonic()
    service.process.terminate()
    assert service.process.wait(DRAIN_S + 5) == 0
    drained_s = round(time.monotonic() - asked_s, 2)
    report(back_s=back_s, drained_s=drained_s, load=round(os.getloadavg()[0], 1))
    assert max(back_s.values()) <= (BACK_S if long else PATIENCE_S)
    assert drained_s <= DRAIN_S or not long


@pytest.fixture
def running(
    attached: Attach, noise_of: Noise, wait_for: Wait, totals: Count
) -> Running:
    """A service with a page, and a source that goes on sending."""
    found = attached(noise_of(3000), 0.1, page=True)
    wait_for(
        lambda: answers(found.page) and totals(found.session).frames > 3, PATIENCE_S
    )
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no niceness")
def test_who_looks_on_yields_to_who_works(
    running: Running, process_with: ProcessWith
) -> None:
    roles = ("recorder", "analyser")
    works = {process_with(running.session, role) for role in roles}
    page = psutil.Process(page_process(running.service, works))
    assert all(psutil.Process(pid).nice() < page.nice() for pid in works)


def template(service: Program) -> psutil.Process:
    """The process that the others are copied from."""
    (found,) = [
        child
        for child in psutil.Process(service.process.pid).children()
        if "forkserver" in " ".join(child.cmdline())
    ]
    return found


def kill_template(service: Program, wait_for: Wait) -> None:
    """Kill the process that the others are copied from; wait for the next one."""
    old = template(service)
    old.kill()
    wait_for(
        lambda: not old.is_running() and template(service).is_running(), PATIENCE_S
    )


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a template")


@linux
@pytest.mark.timeout(300)
def test_what_processes_are_copied_from_is_killed_and_none_of_them_is_disturbed(
    running: Running,
    wait_for: Wait,
    totals: Count,
    process_with: ProcessWith,
    report: Report,
) -> None:
    service, session = running.service, running.session
    roles = ("recorder", "analyser")
    wait_for(lambda: all(process_with(session, role) for role in roles), PATIENCE_S)
    before = {role: process_with(session, role) for role in roles}
    page = page_process(service, set(before.values()))
    killed_s, done = time.monotonic(), totals(running.session).frames
    kill_template(service, wait_for)
    wait_for(lambda: totals(running.session).frames > done, PATIENCE_S)
    receives_s = time.monotonic() - killed_s
    assert {role: process_with(session, role) for role in roles} == before
    # From now on nobody sees them end but the other end of their pipes.
    for role, victim in before.items():
        assert victim
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda role=role: process_with(session, role) != before[role], 90)
    os.kill(page, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(page), PATIENCE_S)
    wait_for(lambda: answers(running.page), PATIENCE_S)
    report(receives_again_s=round(receives_s, 2))
    kill_template(service, wait_for)
    service.process.terminate()
    assert service.process.wait(DRAIN_S + 5) == 0
    said = service.said()
    assert said.count("what processes are copied from has died") == 2
    assert said.count("is started again") == len(roles) + 1
    assert "is killed" not in said


@linux
@pytest.mark.timeout(200)
def test_an_end_that_nobody_sees_ends_the_service_all_the_same(
    attached: Attach, noise_of: Noise, wait_for: Wait, totals: Count
) -> None:
    running = attached(noise_of(20), 0.2, "--until-end")
    service, session = running.service, running.session
    wait_for(lambda: totals(session).analyses > 2, PATIENCE_S)
    kill_template(service, wait_for)
    assert service.process.wait(PATIENCE_S) == 0
    assert totals(session).analyses == 20


@linux
@pytest.mark.timeout(200)
@pytest.mark.parametrize("moment", ["from the start", "while it starts a process"])
def test_a_service_that_is_stopped_twice_leaves_no_process(
    tmp_path: Path, program: Start, wait_for: Wait, moment: str
) -> None:
    service = program(
        "serve", "--connect", free_address(), "--record", tmp_path / "session",
        "--publish", free_address(), "--dashboard",
        free_address().removeprefix("tcp://"),
    )  # fmt: skip
    if moment == "while it starts a process":
        wait_for(lambda: len(family(service)) >= 2, PATIENCE_S)
    else:
        wait_for((tmp_path / "session").exists, PATIENCE_S)
    left = family(service)
    for _ in range(2):
        service.process.send_signal(signal.SIGINT)
        left += family(service)
    assert service.process.wait(PATIENCE_S) == 0
    # Two that belong to Python alone go when they see that the service has gone.
    _, alive = psutil.wait_procs(left, timeout=PATIENCE_S)
    assert alive == []
    assert "Traceback" not in service.said()


@pytest.mark.timeout(300)
def test_a_page_that_cannot_come_back_is_tried_again_and_recording_goes_on(
    running: Running, wait_for: Wait, totals: Count, process_with: ProcessWith
) -> None:
    roles = ("recorder", "analyser")
    known = {process_with(running.session, role) for role in roles}
    host, port = running.page.split(":")
    os.kill(page_process(running.service, known), signal.SIGKILL)
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            taken = socket.create_server((host, int(port)))
            break
        except OSError:
            assert time.monotonic() < deadline_s
    with taken:
        wait_for(lambda: running.service.said().count("cannot go on") > 1, PATIENCE_S)
        done = totals(running.session).frames
        wait_for(lambda: totals(running.session).frames > done, PATIENCE_S)
    assert "is taken by another program" in running.service.said()
    wait_for(lambda: answers(running.page), PATIENCE_S)
    assert running.service.process.poll() is None


@pytest.mark.timeout(200)
def test_processes_whose_supervisor_was_killed_end_by_themselves(
    tmp_path: Path, program: Start, wait_for: Wait, process_with: ProcessWith
) -> None:
    session = tmp_path / "session"
    service = program(
        "serve", "--connect", free_address(), "--record", session,
        "--publish", free_address(), "--dashboard",
        free_address().removeprefix("tcp://"),
    )  # fmt: skip
    wait_for(lambda: "publishing at" in service.said(), PATIENCE_S)
    left = family(service)
    analyser = process_with(session, "analyser")
    # One that is stuck hears nothing, and still must not stay for ever.
    assert analyser in {each.pid for each in left}
    service.kill()
    _, alive = psutil.wait_procs(left, timeout=DRAIN_S + 20)
    assert alive == []


@pytest.mark.timeout(200)
def test_a_second_service_on_a_session_is_refused_with_one_line(
    tmp_path: Path, program: Start, wait_for: Wait
) -> None:
    session = tmp_path / "session"
    serve = ("serve", "--record", str(session), "--connect")
    first = program(*serve, free_address(), "--publish", free_address())
    wait_for(lambda: "publishing at" in first.said(), PATIENCE_S)
    second = subprocess.run(
        [sys.executable, "-m", "atomstream", *serve, free_address(),
         "--publish", free_address()],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert second.returncode == 2
    assert second.stdout == ""
    (line,) = second.stderr.splitlines()
    assert f"{session} is in use: it has a service already" in line
    assert str(first.process.pid) in line
    assert "stop that one or take another folder" in line
    assert first.process.poll() is None
