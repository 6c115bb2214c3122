"""A peer that cannot be had is one line, and never half an environment."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atomstream.bench.peer.environment import ATOMAI, OURS, Environment, prepare
from atomstream.bench.peer.job import Worker
from streamer.errors import SettingsError

type Run = Callable[..., Any]

BENCH = ("bench", "inference", "--sizes", "64", "--peer", "atomai", "--peer-env")


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for uv is a shell script")
def test_an_environment_that_cannot_be_made_is_said_in_one_line(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = program(tmp_path / "uv", "echo 'error: no network' >&2; exit 2")
    monkeypatch.setenv("UV", str(uv))
    outcome = run(*BENCH, tmp_path / "env")
    assert outcome.code == 2
    last = outcome.err.splitlines()[-1]
    assert last.startswith("atomstream: --peer atomai: its environment cannot be made")
    assert "error: no network" in last
    assert "--peer-env DIR" in last
    assert "Traceback" not in outcome.err


def test_without_uv_it_says_what_to_install(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = run(*BENCH, tmp_path / "env")
    assert outcome.code == 2
    assert outcome.err.endswith("install it with: pip install uv\n")
    assert outcome.err.count("\n") == 1


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(SettingsError, match=r"is there already and has no AtomAI"):
        prepare(Environment(tmp_path).folder, ATOMAI)
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


@pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")
def test_another_version_is_refused_and_half_an_environment_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = Environment(tmp_path / "env")
    environment.python.parent.mkdir(parents=True)
    program(environment.python, "echo 0.7.0")
    with pytest.raises(SettingsError, match=r"has AtomAI 0\.7\.0; figures are for"):
        prepare(environment.folder, ATOMAI)
    program(environment.python, "exit 1")
    (environment.folder / OURS).touch()
    said = tmp_path / "said"
    uv = program(tmp_path / "uv", f'echo "$@" >> {said}')
    monkeypatch.setenv("UV", str(uv))
    assert prepare(environment.folder, ATOMAI) == environment
    (line,) = said.read_text().splitlines()
    assert line.startswith("pip install --python")
    assert "atomai==0.8.1 six" in line


def test_a_peer_that_fails_says_why_in_one_line(tmp_path: Path) -> None:
    python = Environment(tmp_path / "env").python
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    worker = Worker(Environment(tmp_path / "env"), threads=1, folder=tmp_path)
    with pytest.raises(SettingsError, match=r"^AtomAI failed: ModuleNotFoundError: "):
        worker.do({"task": "measure", "frames": []}, lambda *_: None)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")
def test_the_peers_python_does_not_find_our_modules_beside_the_program(
    tmp_path: Path,
) -> None:
    environment = Environment(tmp_path / "env")
    environment.python.parent.mkdir(parents=True)
    program(environment.python, 'echo "$1" >&2; exit 1')
    worker = Worker(environment, threads=1, folder=tmp_path)
    with pytest.raises(SettingsError, match=r"^AtomAI failed: -P$"):
        worker.do({"task": "measure", "frames": []}, lambda *_: None)
