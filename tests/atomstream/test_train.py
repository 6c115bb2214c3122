"""`atomstream train`: what it refuses, in one line and with exit code 2."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

type Run = Callable[..., Any]

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs the extra [train]"
)


@pytest.mark.parametrize("command", ["all", "dcnn", "rvae", "compare"])
def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("atomstream.training.find_spec", lambda _: None)
    outcome = run("train", command, "--out", tmp_path / "model")
    assert outcome.code == 2
    assert outcome.err == (
        "atomstream: training needs torch, onnx, onnxscript; "
        "install it with: uv sync --extra train\n"
    )
    assert not (tmp_path / "model").exists()


REFUSED = {
    "unknown kind": (("--kind", "gold"), "--kind gold: expected one of default"),
    "a window of rings": (("--window", "large"), "--kind default has none"),
    "unknown base": (("--base", "gold"), "no model 'gold'"),
    "no such session": (("--from", "{folder}/none"), "none does not exist"),
    "no session": (("--from", "{folder}"), "{folder}"),
    "no folder": (("--out", "{folder}/file/model", "--from", "{session}"),
                  "cannot be written"),
}  # fmt: skip


@needs_torch
@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused_in_one_line(
    tmp_path: Path, run: Run, movie: Path, name: str
) -> None:
    (tmp_path / "file").write_text("not a folder")
    session = tmp_path / "session"
    if name == "no folder":
        assert run("analyze", movie, "--record", session).code == 0
    options, says = REFUSED[name]
    words = {"folder": tmp_path, "session": session}
    chosen = [option.format(**words) for option in options]
    outcome = run("train", "rvae", "--out", tmp_path / "model", *chosen)
    assert outcome.code == 2
    last = outcome.err.splitlines()[-1]
    assert last.startswith("atomstream: ")
    assert says.format(**words) in last
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "model").exists()


@needs_torch
def test_cuda_is_not_silently_replaced(tmp_path: Path, run: Run) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    outcome = run("train", "all", "--out", tmp_path / "model", "--device", "cuda")
    assert outcome.code == 2
    assert "no CUDA device" in outcome.err
