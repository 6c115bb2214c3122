"""Networks of a session's own: all that its report compares, trained on its atoms."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from inference.card import CARD_FILE
from inference.describe import Harmonics
from inference.paper_methods.window_size import SIDE_PX, WindowSize
from inference.training.base_model import BaseModel
from inference.training.baselines import BaselineFit, untrained
from inference.training.bench import Bench
from inference.training.fitting import Fit
from inference.training.kinds import DEFAULT_KIND, KINDS, RINGS
from inference.training.make_from_session import train_encoder_on_session
from inference.training.methods.make import train_on_session
from inference.training.methods.recipe import MethodsRecipe
from inference.training.scaled import scaled
from inference.training.session_set import SessionSource
from inference.training.subimage_set import SubImageSet
from inference.training.unfinished import FOLDER
from inference.training.wish import EncoderWish

TRIED, TIMED = 2, 5
"""Steps of a training before it is timed, and over which it is."""
TRIED_ON = 512
"""Random sub-images for that."""


@dataclass(frozen=True, slots=True)
class Retraining:
    """What is to be trained, and on what."""

    source: SessionSource
    """The session; a quarter of what is drawn of it is held out."""
    base: str
    """Name or folder of the model that saw it; its segmentation network is kept."""
    out: Path
    """Gets a folder for each: `default`, `paper-small`, …, `paper-methods`."""
    windows: tuple[WindowSize, ...] = ("small", "large")
    threads: int = 2
    scale: float = 1.0
    """Share of the steps that is done, to try things out."""


type BenchOf = Callable[[Path], Bench]
"""Where, and how followed, what becomes this folder is trained."""


def retrain(wanted: Retraining, bench_of: BenchOf) -> None:
    """Train them one after the other; those that a run before has finished are kept.

    Raises
    ------
    SessionError
        There is too little to learn from in the session.
    Stopped, ModelError
        As for `inference.training.make.train_all`.
    """
    for name, wish in _encoders(wanted).items():
        folder = wanted.out / name
        if not _is_made(folder):
            base = BaseModel.load(wanted.base, folder, wanted.threads)
            train_encoder_on_session(wish, wanted.source, base, bench_of(folder))
    folder = wanted.out / "paper-methods"
    if not _is_made(folder):
        base = BaseModel.load(wanted.base, folder, wanted.threads)
        recipe = _methods(wanted)
        train_on_session(recipe, wanted.source, base, bench_of(folder))


def expected_seconds(wanted: Retraining) -> float:
    """How long the trainings that are left will take here, without cutting sub-images.

    From some steps of each, on noise.
    """
    torch.set_num_threads(wanted.threads)
    return sum(_seconds(fit, steps) for fit, steps in _trials(wanted))


def _encoders(wanted: Retraining) -> dict[str, EncoderWish]:
    """Those that are trained as models, by the name of their folder."""
    seed = wanted.source.seed
    default = replace(KINDS[DEFAULT_KIND].recipe, seed=seed)
    paper = replace(KINDS["paper"].recipe, seed=seed)
    recipes = {"default": (DEFAULT_KIND, default)}
    for size in wanted.windows:
        recipes[f"paper-{size}"] = ("paper", replace(paper, window=size))
    return {
        name: EncoderWish(kind, scaled(recipe, wanted.scale))
        for name, (kind, recipe) in recipes.items()
    }


def _methods(wanted: Retraining) -> MethodsRecipe:
    """The rest; their rVAEs are models of their own."""
    recipe = MethodsRecipe(
        windows=wanted.windows, rvae_windows=(), seed=wanted.source.seed
    )
    return recipe.scaled(wanted.scale)


def _is_made(folder: Path) -> bool:
    return (folder / CARD_FILE).exists() and not (folder / FOLDER).exists()


def _trials(wanted: Retraining) -> Iterator[tuple[Fit, int]]:
    """A fit to noise in place of each that is left, and its steps."""
    noise = np.random.default_rng(1)
    windows = noise.random((TRIED_ON, SIDE_PX, SIDE_PX), np.float32)
    told = np.zeros(TRIED_ON, np.float32)
    for name, wish in _encoders(wanted).items():
        if _is_made(wanted.out / name):
            continue
        kind = KINDS[wish.kind]
        recipe = kind.untold(wish.recipe)
        rows = windows
        if isinstance(kind.describer(recipe, 0.02), Harmonics):
            rows = noise.random((TRIED_ON, 2 * len(RINGS.features)), np.float32)
        yield kind.fit(SubImageSet(rows, told, told), recipe, "cpu"), recipe.steps
    if not _is_made(wanted.out / "paper-methods"):
        recipe = _methods(wanted).baselines
        for network in untrained(SIDE_PX, recipe).values():
            fit = BaselineFit(network, windows, recipe)
            yield fit, recipe.steps * len(wanted.windows)


def _seconds(fit: Fit, steps: int) -> float:
    for _ in range(TRIED):
        fit.step()
    start_s = time.monotonic()
    for _ in range(TIMED):
        fit.step()
    return steps * (time.monotonic() - start_s) / TIMED
