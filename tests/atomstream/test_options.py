"""Options that several commands share mean the same with each of them."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from atomstream.app import app
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
    """What --help says of each option, on one line, without the environment's part."""
    name = command[:2] if command[0] == "bench" else command[:1]
    text = re.sub(r" *\[env\s+var:\s+\w+\]", "", run(*name, "--help").out)
    text = re.sub(r"\[env\s+var:\s+\w+;\s+", "[", text)
    parts = re.split(r"\n  (?=-)", text)
    return {part.split()[0]: " ".join(part.split()[1:]) for part in parts}


def commands(
    group: TyperGroup, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], TyperCommand | TyperGroup]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*path, name))
        yield (*path, name), command


def test_no_name_and_no_word_of_help_is_cut_on_a_terminal_of_80_columns(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    everything = get_command(app)
    assert isinstance(everything, TyperGroup)
    assert "..." not in run("--help").out.replace("[ARGS]...", "")
    for path, command in commands(everything):
        text = run(*path, "--help").out
        assert max(map(len, text.splitlines())) <= 80
        for option in command.params:
            assert all(name in text for name in option.opts if name.startswith("--"))


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
