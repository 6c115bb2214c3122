"""A folder of the paper's methods, trained on simulation or on a recorded session."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from inference.card import CARD_FILE
from inference.paper_methods.card import MethodCard, MethodName, MethodsCard
from inference.paper_methods.reading import mean_offset_rad
from inference.paper_methods.window_size import SIDE_PX, WindowSize
from inference.training.base_model import BaseModel
from inference.training.baselines import Baseline, BaselineFit, untrained
from inference.training.bench import Bench
from inference.training.fit_paper_rvae import PaperFit, loss_on
from inference.training.footage import paper_movies
from inference.training.methods.recipe import MethodsRecipe
from inference.training.methods.served import (
    as_trained,
    drawn_share,
    export_method,
    rounding_error,
    served,
)
from inference.training.methods.windows import (
    BySize,
    orientation_of,
    simulated_windows,
    windows_of_session,
)
from inference.training.paper_readout import raw_latents
from inference.training.paper_rvae import PaperRvae
from inference.training.scaled import trial_in_words
from inference.training.session_set import (
    SessionSource,
    SessionSubImages,
    streams_of,
)
from inference.training.unfinished import Plan, Unfinished, writable
from inference.training.window_set import WindowSet
from streamer.session.durable import write_file

LIMIT = (
    "Made to compare with the paper: what they tell of a sheet that lies otherwise "
    "than in training is not to be trusted."
)
DRAWN = "drawn_share"
POOR = 0.5
"""Share of the variance of windows below which a network has not learnt them."""
MOST_CHECKED = 1024
"""Windows on which a loss is measured."""


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """One network to be trained."""

    method: MethodName
    window: WindowSize
    fit: BaselineFit | PaperFit
    steps: int
    data: SessionSubImages


def train_on_simulation(recipe: MethodsRecipe, base: BaseModel, bench: Bench) -> None:
    """Networks trained on one simulated movie, as the paper had one.

    Raises
    ------
    Stopped, ModelError
        As for `inference.training.make.train_all`.
    """
    rvae = recipe.rvae
    footage = paper_movies(rvae.movies, rvae.frames, rvae.share, recipe.orientation_deg)
    plan: Plan = {"training_data": "simulated by streamer.simulator"}
    with bench.begin(_plan(plan, recipe, base)) as held:
        data = simulated_windows(footage, recipe.seed, base, bench, held)
        _finish(bench, held, data, recipe, base, plan)


def train_on_session(
    recipe: MethodsRecipe, source: SessionSource, base: BaseModel, bench: Bench
) -> None:
    """Networks trained on a session's own windows.

    Raises
    ------
    SessionError
        No session, or one in which there is too little to learn from.
    Stopped, ModelError
        As for `inference.training.make.train_all`.
    """
    plan: Plan = {
        "training_data": "a recorded session",
        "streams": [*streams_of(source.folder)],
        "fraction": source.fraction,
    }
    with bench.begin(_plan(plan, recipe, base)) as held:
        data = windows_of_session(source, recipe.windows, base, bench, held)
        _finish(bench, held, data, recipe, base, plan)


def _plan(plan: Plan, recipe: MethodsRecipe, base: BaseModel) -> Plan:
    return {
        "trains": "paper-methods",
        **plan,
        "recipe": asdict(recipe),
        "base": base.facts,
    }


def _finish(
    bench: Bench,
    held: Unfinished,
    data: BySize,
    recipe: MethodsRecipe,
    base: BaseModel,
    plan: Plan,
) -> None:
    methods = tuple(_made(one, bench, held) for one in _tasks(data, recipe, bench))
    trial = (trial_in_words(bench.scale),) if bench.scale < 1 else ()
    facts: Plan = {
        "made_by": "atomstream train paper-methods",
        **plan,
        "recipe": asdict(recipe),
        "windows": {size: len(one.learnt) for size, one in data.items()},
    }
    minutes = [one.provenance["training_minutes"] for one in methods]
    seconds = 60 * sum(one for one in minutes if isinstance(one, float))
    card = MethodsCard(
        trained_on="session" if "streams" in plan else "simulation",
        dcnn_sha256=base.model.card.dcnn.sha256,
        orientation_deg=orientation_of(data),
        methods=methods,
        provenance=bench.provenance(facts, seconds),
        limits=(*trial, LIMIT, *_poor(methods)),
    )
    with writable(bench.folder):
        text = card.model_dump_json(indent=2) + "\n"
        write_file(bench.folder / CARD_FILE, text.encode())


def _poor(methods: tuple[MethodCard, ...]) -> list[str]:
    """Of each that hardly draws what it sees, that it does not."""
    shares = [(one, float(str(one.provenance[DRAWN]))) for one in methods]
    return [
        f"The {one.method} of {one.window} windows draws {max(share, 0):.0%} of what "
        "varies in them: it has not learnt them, and shows no more than that."
        for one, share in shares
        if share < POOR
    ]


def _tasks(data: BySize, recipe: MethodsRecipe, bench: Bench) -> Iterator[_Task]:
    for size, subimages in data.items():
        windows = subimages.learnt.rows
        steps = recipe.baselines.steps
        for name, network in untrained(SIDE_PX, recipe.baselines).items():
            fit = BaselineFit(network, windows, recipe.baselines)
            yield _Task(name, size, fit, steps, subimages)
        if size in recipe.rvae_windows:
            rvae = replace(recipe.rvae, window=size, test_share=0.0)
            learnt = WindowSet.of(subimages.learnt)
            paper_fit = PaperFit(learnt, rvae, bench.device)
            yield _Task("rVAE", size, paper_fit, rvae.steps, subimages)


def _made(task: _Task, bench: Bench, held: Unfinished) -> MethodCard:
    """One network, trained and written."""
    stem = f"{task.method.replace(' ', '-')}-{task.window}"
    seconds = bench.fit(stem, task.fit, task.steps, held)
    readout, usual_rad = as_trained(0.0), 0.0
    network: Baseline | PaperRvae
    if isinstance(task.fit, PaperFit):
        learnt = task.data.learnt
        network = task.fit.trained
        raw = raw_latents(network.encoder, learnt.rows)[:, 0]
        readout = as_trained(mean_offset_rad(raw, learnt.angle_rad))
        usual_rad = float(np.median(raw))
    else:
        network = task.fit.network
    parts = served(network, readout, usual_rad)
    with writable(bench.folder):
        encoder, decoder = export_method(parts, SIDE_PX, stem, bench.folder)
    tried = task.data.rows[task.data.held_out][:MOST_CHECKED]
    error = rounding_error(parts[0], bench.folder / encoder.file, tried)
    return MethodCard(
        method=task.method,
        window=task.window,
        encoder=encoder,
        decoder=decoder,
        provenance={
            "steps": task.steps,
            "held_out_loss": round(_held_out_loss(task.fit, tried), 4),
            DRAWN: round(drawn_share(network, tried), 4),
            "rounding_error": round(error, 4),
            "training_minutes": round(seconds / 60, 2),
        },
    )


def _held_out_loss(fit: BaselineFit | PaperFit, windows: NDArray[np.float32]) -> float:
    """Of windows that were held out: as each network's own loss counts it."""
    if isinstance(fit, PaperFit):
        return loss_on(fit.trained, windows, fit.recipe)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        return float(fit.network.loss(torch.from_numpy(windows), generator))
