"""Options that several commands share mean the same with each of them."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.device import cores_here, default_threads
from streamer.session.reader import SessionReader
from tests.atomstream.conftest import Outcome

type Run = Callable[..., Outcome]

ANALYSES = {
    "demo": ("demo", "--no-dashboard"),
    "serve": ("serve", "--connect", "tcp://127.0.0.1:1", "--record", "{session}"),
    "analyze": ("analyze", "movie.tif", "--record", "{session}"),
}
MODEL_RUNS = ANALYSES | {
    "doctor": ("doctor",),
    "evaluate": ("evaluate", "--quick"),
    "bench": ("bench", "inference"),
}


def help_of(run: Run, command: tuple[str, ...]) -> dict[str, str]:
    """What --help says of each option, on one line without the table's borders."""
    name = command[:2] if command[0] == "bench" else command[:1]
    text = run(*name, "--help").out
    words = re.sub(r"[│╭╮╰╯─]", " ", text)
    parts = re.split(r"\n\s+(?=--[a-z])", words)
    return {part.split()[0]: " ".join(part.split()[1:]) for part in parts if part}


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("option", ["--threads", "--device"])
def test_every_command_that_runs_a_model_says_the_same_of(
    run: Run, option: str
) -> None:
    said = {name: help_of(run, command)[option] for name, command in MODEL_RUNS.items()}
    assert len(set(said.values())) == 1, said


@pytest.mark.usefixtures("wide")
def test_every_command_that_analyses_says_the_same_of_refinement(run: Run) -> None:
    said = {
        name: help_of(run, command)["--refine"] for name, command in ANALYSES.items()
    }
    assert len(set(said.values())) == 1, said
    assert "[default: refine]" in said["serve"]


@pytest.mark.parametrize("name", MODEL_RUNS)
def test_a_device_that_is_not_here_is_refused_by(
    tmp_path: Path, run: Run, name: str
) -> None:
    session = tmp_path / "session"
    command = [part.format(session=session) for part in MODEL_RUNS[name]]
    outcome = run(*command, "--device", "cuda")
    assert outcome.code == 2
    assert outcome.err.startswith("atomstream: --device cuda: this ONNX Runtime has ")
    assert outcome.err.count("\n") == 1
    assert not session.exists()


def test_the_number_of_threads_that_nobody_chose_is_that_of_this_machine(
    tmp_path: Path, run: Run
) -> None:
    told = f"{default_threads(cores_here())} threads"
    assert told in " ".join(run("doctor", "--record", tmp_path).out.split())
    said = run("doctor", "--record", tmp_path, "--threads", "1").out
    assert "1 threads" in " ".join(said.split())


def test_positions_are_measured_unless_it_is_said_that_they_shall_not(
    tmp_path: Path, run: Run, movie: Path
) -> None:
    measured, seen = tmp_path / "measured", tmp_path / "seen"
    assert run("analyze", movie, "--record", measured).code == 0
    assert run("analyze", movie, "--record", seen, "--no-refine").code == 0
    for record, is_measured in (measured, True), (seen, False):
        with SessionReader(record) as session:
            atoms = session.atoms(session.streams()[0].stream.id, 0)
        assert len(atoms) > 200
        assert np.isfinite(atoms.x_sigma_nm).any() == is_measured
        assert np.array_equal(atoms.row_px, atoms.row_net_px) != is_measured
