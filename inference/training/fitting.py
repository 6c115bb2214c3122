"""Steps of a training, one after the other, kept so that a killed run can go on."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from inference.training.progress import Progress
from inference.training.unfinished import Unfinished, readable

type State = dict[str, Any]
"""Tensors, numbers, texts, and lists and dicts of them: nothing that runs when read."""

KEEP_EVERY_S = 60.0


class Stopped(Exception):  # noqa: N818 (not an error: what was asked for)
    """Somebody wished the training to stop; its state is kept."""


class Fit(Protocol):
    """A training that can be taken up again after any of its steps."""

    def step(self) -> None:
        """Draw one batch and improve the networks by it."""

    def state_dict(self) -> State:
        """Everything that the next step depends on, and the data do not give."""

    def load_state_dict(self, state: State) -> None:
        """Be where another fit of the same data and recipe was."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the state of one fit is kept, and how often."""

    unfinished: Unfinished
    file: str
    every_s: float = KEEP_EVERY_S
    clock: Callable[[], float] = time.monotonic
    stopping: Callable[[], bool] = lambda: False
    """Whether somebody wishes the training to stop; asked after each step."""


def run(fit: Fit, steps: int, kept: Kept | None, progress: Progress) -> float:
    """Take all steps, from where a run before was killed; the seconds that they took.

    A fit that was interrupted ends, on a CPU with as many threads, with the same
    weights as one that was not, bit for bit.

    Parameters
    ----------
    kept
        None for a fit that is not to survive.

    Raises
    ------
    Stopped
        As was wished; the state is kept.
    ModelError
        The state cannot be kept, or the one that is there cannot be read.
    """
    step, spent_s = _resume(fit, kept)
    clock = kept.clock if kept else time.monotonic
    start_s = clock()
    # Kept after the first step: a disk without room is told of before hours are spent.
    keep_s = start_s
    progress(step, steps)
    while step < steps:
        fit.step()
        step += 1
        progress(step, steps)
        if kept is None:
            continue
        stop = kept.stopping()
        if stop or step == steps or clock() >= keep_s:
            now_s = clock()
            keep_s = now_s + kept.every_s
            _keep(fit, kept, step, spent_s + now_s - start_s)
        if stop and step < steps:
            raise Stopped
    return spent_s + clock() - start_s


def _resume(fit: Fit, kept: Kept | None) -> tuple[int, float]:
    """(steps, seconds) that are behind us."""
    data = kept.unfinished.kept(kept.file) if kept else None
    if kept is None or data is None:
        return 0, 0.0
    with readable(kept.unfinished.path(kept.file)):
        # Tensors and plain values only: reading must not run code.
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        fit.load_state_dict(state["fit"])
        # Last, because a fit may have drawn from torch's own generator to begin.
        torch.set_rng_state(state["random"])
        if torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["random_cuda"])
        return state["step"], state["seconds"]


def _keep(fit: Fit, kept: Kept, step: int, seconds: float) -> None:
    state = {
        "step": step,
        "seconds": seconds,
        "fit": fit.state_dict(),
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state_all(),
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    kept.unfinished.keep(kept.file, buffer.getvalue())
