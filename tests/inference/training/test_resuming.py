"""A training that is killed at any moment goes on, and ends as if it had not been."""

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from inference.harmonics import Rings
from inference.training.fit_dcnn import DcnnFit, DcnnRecipe
from inference.training.fit_paper_rvae import PaperFit, PaperRvaeRecipe
from inference.training.fit_rvae import RvaeFit, RvaeRecipe
from inference.training.fitting import Fit, Kept, Stopped, run
from inference.training.scenes import Scene
from inference.training.subimage_set import SubImageSet
from inference.training.unfinished import (
    FOLDER,
    Unfinished,
    unfinished,
)
from inference.training.window_set import WindowSet
from streamer.errors import ModelError

STEPS = 6
RINGS = Rings((0.06, 0.142, 0.25), 0.03, (1, 3, 3), 0.04)


class KilledError(Exception):
    pass


def dcnn_fit() -> Fit:
    rng = np.random.default_rng(1)
    scenes = [
        Scene(
            rng.normal(size=(48, 48)).astype(np.float16),
            rng.random((48, 48)).astype(np.float16),
            rng.random((48, 48)) < 0.5,
        )
        for _ in range(3)
    ]
    return DcnnFit(scenes, replace(DcnnRecipe(), steps=STEPS, batch=2, crop_px=32))


def rvae_fit() -> Fit:
    rng = np.random.default_rng(1)
    data = SubImageSet(
        rows=rng.normal(size=(64, 2 * len(RINGS.features))).astype(np.float32),
        angle_rad=rng.uniform(-1, 1, 64).astype(np.float32),
        crystallinity=rng.random(64).astype(np.float32),
    )
    return RvaeFit(data, RINGS, replace(RvaeRecipe(), steps=STEPS, batch=8, points=5))


def paper_fit() -> Fit:
    rng = np.random.default_rng(1)
    unknown = np.zeros(64, np.float32)
    windows = rng.random((64, 8, 8), np.float32)
    data = WindowSet(windows, unknown, unknown)
    return PaperFit(data, PaperRvaeRecipe(steps=STEPS, batch=8, pixels=5))


FITS = {"dcnn": dcnn_fit, "rvae": rvae_fit, "paper": paper_fit}


def ignored(_done: int, _total: int) -> None:
    pass


def killed_after(step: int) -> Callable[[int, int], None]:
    def progress(done: int, _total: int) -> None:
        if done == step:
            raise KilledError

    return progress


def tensors(state: object) -> Iterator[Any]:
    """All tensors in a state, in order."""
    if isinstance(state, torch.Tensor):
        yield state
    elif isinstance(state, dict):
        for value in state.values():
            yield from tensors(value)


def same(one: Fit, other: Fit) -> bool:
    pairs = zip(tensors(one.state_dict()), tensors(other.state_dict()), strict=True)
    return all(torch.equal(left, right) for left, right in pairs)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Unfinished]:
    with unfinished(tmp_path / "model", {"seed": 1}, restart=False) as held:
        yield held


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("kept_every", [1, 2])
@pytest.mark.parametrize("killed", [1, 3, STEPS])
def test_a_killed_fit_ends_with_the_same_weights_bit_for_bit(
    held: Unfinished, name: str, kept_every: int, killed: int
) -> None:
    whole, first, second = (FITS[name]() for _ in range(3))
    run(whole, STEPS, None, ignored)
    ticks = iter(range(1000))
    kept = Kept(held, "fit.pt", every_s=kept_every, clock=lambda: next(ticks) / 2)
    with pytest.raises(KilledError):
        run(first, STEPS, kept, killed_after(killed))
    torch.rand(5)  # whatever else the process does in between
    run(second, STEPS, kept, ignored)
    assert same(whole, second)


def test_a_fit_that_is_stopped_keeps_its_last_step(held: Unfinished) -> None:
    done: list[int] = []
    stopped = Kept(held, "fit.pt", stopping=lambda: True)
    with pytest.raises(Stopped):
        run(rvae_fit(), STEPS, stopped, ignored)
    run(rvae_fit(), STEPS, Kept(held, "fit.pt"), lambda step, _: done.append(step))
    assert done[0] == 1


@pytest.mark.timeout(300)  # on a busy machine torch alone takes a minute to import
def test_a_process_killed_by_the_system_goes_on_where_it_was(tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_resuming as t;"
        "t.torch.set_num_threads(1); t.train_slowly(sys.argv[2])"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, Path(__file__).parent, tmp_path]
    )
    state = tmp_path / FOLDER / "fit.pt"
    deadline = time.monotonic() + 240
    while not state.exists() and time.monotonic() < deadline:
        assert child.poll() is None
        time.sleep(0.02)
    assert state.exists()
    child.send_signal(signal.SIGKILL)
    child.wait()
    whole, resumed = rvae_fit(), rvae_fit()
    run(whole, STEPS, None, ignored)
    first: list[int] = []
    with unfinished(tmp_path, {"seed": 1}, restart=False) as held:
        run(resumed, STEPS, Kept(held, "fit.pt"), lambda step, _: first.append(step))
    assert first[0] > 0
    assert same(whole, resumed)
    assert not (tmp_path / FOLDER).exists()


def train_slowly(folder: str) -> None:
    """In a process of its own: keep each step, and linger after the third."""
    with unfinished(Path(folder), {"seed": 1}, restart=False) as held:
        kept = Kept(held, "fit.pt", every_s=0)
        run(rvae_fit(), STEPS, kept, lambda step, _: time.sleep(100 * (step == 3)))


def leave_a_state(folder: Path, plan: dict[str, Any]) -> None:
    with unfinished(folder, plan, restart=False) as held:
        held.keep("fit.pt", b"a state")
        raise KilledError


def test_a_folder_with_another_training_is_refused_by_what_differs(
    tmp_path: Path,
) -> None:
    plan: dict[str, Any] = {"encoder": {"seed": 1, "rings": (1, 2)}, "threads": 2}
    with pytest.raises(KilledError):
        leave_a_state(tmp_path, plan)
    other = {**plan, "encoder": {"seed": 2, "rings": (1, 2)}}
    with (
        pytest.raises(ModelError, match=r"encoder\.seed: 1 there, 2 asked for.*--rest"),
        unfinished(tmp_path, other, restart=False),
    ):
        pass
    with unfinished(tmp_path, plan, restart=False) as held:
        assert held.kept("fit.pt") == b"a state"
        with (
            pytest.raises(ModelError, match="another process is training"),
            unfinished(tmp_path, plan, restart=True),
        ):
            pass
    with unfinished(tmp_path, other, restart=True) as held:
        assert held.kept("fit.pt") is None


def test_a_finished_model_is_not_made_again_unasked(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("{}")
    with (
        pytest.raises(ModelError, match=r"finished model.*--restart"),
        unfinished(tmp_path, {}, restart=False),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["card.json"]


class Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("ran"),)


@pytest.mark.parametrize("spoilt", ["text", "cut", "code"])
def test_a_state_that_is_none_is_refused_and_runs_nothing(
    held: Unfinished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt: str
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = Kept(held, "fit.pt", every_s=0)
    run(rvae_fit(), STEPS, kept, ignored)
    path = held.path("fit.pt")
    if spoilt == "text":
        path.write_text("a state")
    elif spoilt == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        torch.save(Code(), path)
    with pytest.raises(ModelError, match=r"fit\.pt cannot be read.*--restart"):
        run(rvae_fit(), STEPS, kept, ignored)
    assert not Path("ran").exists()


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Block in which files cannot grow beyond this, as on a disk without room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_without_room_is_one_line_and_keeps_the_state_before(
    held: Unfinished,
) -> None:
    held.keep("fit.pt", b"before")
    with (
        files_of_at_most(4096),
        pytest.raises(ModelError, match="training cannot be written: File too large"),
    ):
        held.keep("fit.pt", bytes(100_000))
    assert held.kept("fit.pt") == b"before"


def test_a_place_that_is_no_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ModelError, match="cannot be written"),
        unfinished(tmp_path / "file" / "model", {}, restart=False),
    ):
        pass
