"""`atomstream train`: what it refuses, in one line and with exit code 2."""

import importlib.util
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.card import read_card
from inference.catalogue import DEFAULT, find_model
from inference.training.unfinished import FOLDER
from streamer.frame import Frame, Stream
from streamer.session.recorder import FrameRecorder

type Run = Callable[..., Any]

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs the extra [train]"
)


@pytest.mark.parametrize("command", ["all", "dcnn", "rvae", "compare"])
def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("atomstream.extras.find_spec", lambda _: None)
    outcome = run("train", command, "--out", tmp_path / "model")
    assert outcome.code == 2
    assert outcome.err == (
        "atomstream: training needs torch, onnx, onnxscript, skimage, sklearn; "
        "install it with: uv sync --extra train\n"
    )
    assert not (tmp_path / "model").exists()


def nothing_there(_out: Path) -> None:
    pass


def finished_model(out: Path) -> None:
    shutil.copytree(find_model(DEFAULT), out)


def other_training(out: Path) -> None:
    (out / FOLDER).mkdir(parents=True)
    (out / FOLDER / "plan.json").write_text('{"trains": "everything"}')


def file_there(out: Path) -> None:
    out.write_text("no folder")


def empty_session(out: Path) -> None:
    blank = np.zeros((64, 64), np.float32)
    with FrameRecorder(out.parent / "blank") as recorder:
        frame = Frame(Stream("5f0c", "here", "HAADF"), 0, blank, pixel_size_nm=0.016)
        recorder.commit_frame(frame, 0)


REFUSED: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "unknown kind": (nothing_there, "--kind gold", "--kind gold: expected one of"),
    "a window of rings": (nothing_there, "--window large", "--kind default has none"),
    "unknown base": (nothing_there, "--base gold", "no model 'gold'"),
    "no such session": (nothing_there, "--from {folder}/none", "none does not exist"),
    "no session": (nothing_there, "--from {folder}", "{folder}"),
    "no atoms": (empty_session, "--from {folder}/blank", "too few atoms to learn from"),
    "no folder": (file_there, "", "cannot be written"),
    "finished": (finished_model, "", "is a finished model; choose another folder, or"),
    "other plan": (other_training, "", "(base: None there, "),
}


@needs_torch
@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused_in_one_line(
    tmp_path: Path, run: Run, name: str
) -> None:
    make, options, says = REFUSED[name]
    out = tmp_path / "model"
    make(out)
    before = {path: path.read_bytes() for path in out.glob("*.*")}
    words = options.format(folder=tmp_path).split()
    outcome = run("train", "rvae", "--device", "cpu", "--out", out, *words)
    assert outcome.code == 2
    last = outcome.err.splitlines()[-1]
    assert last.startswith("atomstream: ")
    assert says.format(folder=tmp_path) in last
    assert "Traceback" not in outcome.err
    assert {path: path.read_bytes() for path in out.glob("*.*")} == before


@needs_torch
def test_a_disk_without_room_is_said_in_one_line(
    tmp_path: Path, run: Run, movie: Path
) -> None:
    session = tmp_path / "session"
    assert run("analyze", movie, "--record", session).code == 0
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The plan fits, and the session's index; the sub-images do not.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        learn = ("--from", session, "--fraction", "1")
        outcome = run("train", "rvae", "--out", tmp_path / "new", *learn)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert outcome.code == 2
    last = outcome.err.splitlines()[-1]
    assert "new/training cannot be written: File too large; the same command" in last


@needs_torch
def test_cuda_is_not_silently_replaced(tmp_path: Path, run: Run) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    outcome = run("train", "all", "--out", tmp_path / "model", "--device", "cuda")
    assert outcome.code == 2
    assert "no CUDA device" in outcome.err


LITTLE = ("--scale", "0.001", "--threads", "1", "--device", "cpu", "--no-measure")


@dataclass(frozen=True)
class Training:
    """A training that runs as a process of its own."""

    out: Path
    process: subprocess.Popen[str]
    log: Path

    def state(self, name: str) -> bool:
        return (self.out / FOLDER / name).exists()

    def says(self, words: str) -> bool:
        return words in self.log.read_text()

    def ended_while(self, stage: str) -> bool:
        return self.log.read_text().splitlines()[-1].startswith(stage)

    def stop(self, number: int, when: Callable[[], bool]) -> None:
        """Send a signal as soon as a condition holds, and see it obeyed."""
        deadline = time.monotonic() + 200
        while not when():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=200)
        assert self.process.returncode == 0
        assert out == "stopped; the same command goes on from there\n"
        assert "Traceback" not in self.log.read_text()


@contextmanager
def training(out: Path, *words: str | Path) -> Iterator[Training]:
    command = [sys.executable, "-m", "atomstream", "train", *words, "--out", out]
    log = out.with_suffix(".log")
    with (
        log.open("w") as err,
        subprocess.Popen(
            [*command, *LITTLE], stdout=subprocess.PIPE, stderr=err, text=True
        ) as process,
    ):
        try:
            yield Training(out, process, log)
        finally:
            process.kill()


@needs_torch
@pytest.mark.timeout(900)  # each of the processes imports torch
def test_stopped_at_any_stage_the_same_command_makes_a_model_that_says_what_it_is(
    tmp_path: Path, run: Run, movie: Path
) -> None:
    out = tmp_path / "mine"
    everything = ("all", "--steps", "60")
    with training(out, *everything) as first:
        first.stop(signal.SIGINT, lambda: first.state("plan.json"))
        assert not first.state("scenes-0000.npz")
    with training(out, *everything) as second:
        second.stop(signal.SIGTERM, lambda: second.state("dcnn.pt"))
        assert second.ended_while("training the dcnn")
    with training(out, *everything) as third:
        third.stop(signal.SIGTERM, lambda: third.says("calibrating"))
        assert third.ended_while("calibrating")
    with training(out, *everything) as last:
        said, _ = last.process.communicate(timeout=400)
    assert last.process.returncode == 0, last.log.read_text()
    assert said.startswith(f"the model is in {out}\n")
    assert "with 0.001 of the recipe" in said
    assert run("models", "verify", out).code == 0
    assert "with 0.001 of the recipe" in read_card(out).limits[0]
    assert run("analyze", movie, "--model", out, "--record", tmp_path / "s").code == 0


@needs_torch
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("default")  # torch's exporter warns of its own parts
def test_the_papers_encoder_is_trained_on_a_movie_of_its_kind(
    tmp_path: Path, run: Run
) -> None:
    out = tmp_path / "paper"
    outcome = run("train", "rvae", "--kind", "paper", "--out", out, *LITTLE)
    assert outcome.code == 0, outcome.err
    card = read_card(out)
    told = card.encoder.provenance
    assert told["kind"] == "paper"
    assert told["dcnn_sha256"] == card.dcnn.sha256
    assert isinstance(told["held_out_angle_deg"], float)
    assert -30 <= told["orientation_deg"] <= 30
    assert run("models", "draw", out, tmp_path / "latents.png").code == 0
