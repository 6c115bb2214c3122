"""The units are sound, and what they start works in the confinement they ask for."""

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pytest

from atomstream.ports import free_address
from streamer.errors import SessionError
from streamer.frame import Frame, Stream
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from tests.deploy.conftest import tool

type Wait = Callable[[Callable[[], bool], float], None]
type Spawn = Callable[..., subprocess.Popen[str]]

UNITS = ("atomstream.service", "atomstream-page.service")
PRUNE = "atomstream-prune.service"
TIMER = "atomstream-prune.timer"
INSTALLED = "/opt/atomstream/bin/atomstream"
MOST_EXPOSED = 3.0

CONFINED = """
import ctypes, os, sys
PR_SET_MDWE, REFUSE_EXEC_GAIN, PR_SET_NO_NEW_PRIVS = 65, 1, 38
prctl = ctypes.CDLL(None, use_errno=True).prctl
for what in (PR_SET_MDWE, PR_SET_NO_NEW_PRIVS):
    if prctl(what, REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
        sys.exit(f"prctl {what}: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Memory that is written is never run, as by MemoryDenyWriteExecute."""


@dataclass(frozen=True)
class Unit:
    """What is asked of it here."""

    text: str

    def value(self, key: str) -> str:
        return self.values(key)[-1]

    def values(self, key: str) -> list[str]:
        return re.findall(rf"^{key}=(.*)$", self.text, re.M)

    def command(self, settings: dict[str, str]) -> list[str]:
        """`ExecStart` with its variables, as systemd puts them in."""
        words: list[str] = []
        for word in shlex.split(self.value("ExecStart")):
            if re.fullmatch(r"\$\w+", word):
                words += shlex.split(settings[word[1:]])
            else:
                words.append(
                    re.sub(r"\$\{(\w+)\}", lambda name: settings[name[1]], word)
                )
        return words


@pytest.fixture
def units(deploy: Path) -> dict[str, Unit]:
    folder = deploy / "systemd"
    return {name: Unit((folder / name).read_text()) for name in UNITS}


@pytest.fixture
def settings(deploy: Path) -> dict[str, str]:
    """The example's, as systemd reads it."""
    parser = configparser.RawConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    text = (deploy / "systemd" / "atomstream.env").read_text()
    parser.read_string(f"[all]\n{text}")
    return dict(parser["all"])


@pytest.mark.parametrize("name", [*UNITS, PRUNE, TIMER])
def test_systemd_finds_nothing_wrong(deploy: Path, tmp_path: Path, name: str) -> None:
    analyze = tool("systemd-analyze", "systemd")
    for unit in (*UNITS, PRUNE, TIMER):
        text = (deploy / "systemd" / unit).read_text()
        # The program is not installed here; that it exists is all that this changes.
        (tmp_path / unit).write_text(text.replace(INSTALLED, "/bin/true"))
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(tmp_path / name)],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", [*UNITS, PRUNE])
def test_a_unit_is_hardly_exposed(deploy: Path, name: str) -> None:
    analyze = tool("systemd-analyze", "systemd")
    unit = str(deploy / "systemd" / name)
    limit = f"--threshold={MOST_EXPOSED * 10:.0f}"
    done = subprocess.run(
        [analyze, "security", "--offline=true", limit, unit],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


def test_frames_that_wait_in_memory_outlive_a_stop(units: dict[str, Unit]) -> None:
    """RemoveIPC would take what the service's user has in /dev/shm."""
    assert units["atomstream.service"].value("RemoveIPC") == "false"


def test_the_user_is_made(deploy: Path, units: dict[str, Unit]) -> None:
    sysusers = tool("systemd-sysusers", "systemd")
    file = str(deploy / "systemd" / "atomstream.sysusers")
    done = subprocess.run([sysusers, "--dry-run", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for unit in units.values():
        assert f"'{unit.value('User')}'" in done.stdout + done.stderr


def test_the_example_has_every_setting(
    units: dict[str, Unit], settings: dict[str, str]
) -> None:
    used = {
        name
        for unit in units.values()
        for name in re.findall(r"\$\{?(\w+)", unit.value("ExecStart"))
    }
    assert used == set(settings)


@pytest.fixture
def confine(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a command that may write to one folder alone, which it knows as STATE."""
    bwrap = tool("bwrap", "Debian's package bubblewrap")
    state, started = tmp_path / "state", []
    state.mkdir()
    # As PrivateTmp: /var/tmp alone, for this checkout may lie in /tmp.
    jail = [
        bwrap, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
        "--tmpfs", "/dev/shm", "--tmpfs", "/var/tmp", "--tmpfs", "/var/lib",
        "--bind", str(state), "/var/lib/atomstream", "--cap-drop", "ALL",
        "--die-with-parent",
        "--setenv", "HOME", "/nonexistent",
    ]  # fmt: skip
    if subprocess.run([*jail, shutil.which("true")], capture_output=True).returncode:
        pytest.skip("bwrap may not make namespaces here")

    def start(command: list[str]) -> subprocess.Popen[str]:
        with (tmp_path / f"{len(started)}.log").open("w") as log:
            started.append(
                subprocess.Popen(
                    [*jail, sys.executable, "-c", CONFINED, *command],
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    text=True,
                    env={"PATH": os.environ["PATH"]},
                )
            )
        return started[-1]

    yield start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(30)


def answers(port: str, path: str) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return bool(answer.status == 200)
    except URLError:
        return False


def frames_analysed(session: Path) -> int:
    try:
        with SessionReader(session) as reader:
            return reader.totals().analyses
    except SessionError:  # not there yet
        return 0


@pytest.mark.slow
def test_service_and_page_work_where_hardly_anything_is_allowed(
    units: dict[str, Unit],
    settings: dict[str, str],
    tmp_path: Path,
    confine: Callable[[list[str]], subprocess.Popen[str]],
    spawn: Spawn,
    wait_for: Wait,
) -> None:
    source, analyses, metrics, page = (free_address() for _ in range(4))
    ports = {"9464": metrics.rpartition(":")[2], "5006": page.rpartition(":")[2]}
    settings |= {"SOURCE": source, "SERVE_OPTIONS": "--threads 1 --no-refine"}
    settings["PAGE"] = f"127.0.0.1:{ports['5006']}"
    for unit in units.values():
        words = " ".join(unit.command(settings))
        words = words.replace("tcp://127.0.0.1:5557", analyses)
        # Those of an atomstream that is installed here are none of ours.
        words = words.replace("/etc/atomstream/keys", "/var/lib/atomstream/keys")
        words = words.replace("127.0.0.1:9464", f"127.0.0.1:{ports['9464']}")
        confine(words.replace(INSTALLED, f"{sys.executable} -m atomstream").split())
    stack = tmp_path / "noise.npy"
    np.save(stack, np.random.default_rng(1).random((3, 64, 64), np.float32))
    spawn("replay", stack, "--bind", source, "--period", "0.1", "--pixel-size", "0.02")
    session = tmp_path / "state" / settings["SESSION"]
    wait_for(lambda: frames_analysed(session) == 3, 90)
    wait_for(lambda: answers(ports["9464"], "/readyz"), 60)
    wait_for(lambda: answers(ports["5006"], "/metrics"), 60)


def test_old_sessions_go_where_hardly_anything_is_allowed(
    deploy: Path,
    tmp_path: Path,
    confine: Callable[[list[str]], subprocess.Popen[str]],
) -> None:
    state = tmp_path / "state"
    noise = np.random.default_rng(1).random((8, 8), np.float32)
    for name, days_ago in (("old", 100), ("new", 1)):
        with FrameRecorder(state / name) as recorder:
            received_ns = time.time_ns() - days_ago * 86_400 * 10**9
            recorder.commit_frame(
                Frame(Stream.new("scope", "HAADF"), 0, noise), received_ns
            )
    (state / "atomstream.toml").write_text('[retention]\nolder_than = "90d"\n')
    unit = Unit((deploy / "systemd" / PRUNE).read_text())
    words = " ".join(unit.command({})).replace("/etc/atomstream", "/var/lib/atomstream")
    running = confine(
        words.replace(INSTALLED, f"{sys.executable} -m atomstream").split()
    )
    assert running.wait(60) == 0
    assert {each.name for each in state.iterdir() if each.is_dir()} == {"new"}
