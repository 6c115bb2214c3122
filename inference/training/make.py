"""A model from nothing, or one network of it anew: simulate, train, measure, write."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inference.analyse import Analyser
from inference.card import Card
from inference.catalogue import find_model
from inference.model import Model, load_model
from inference.segment import Network
from inference.training.bench import Bench
from inference.training.copying import copy_dcnn, copy_encoder
from inference.training.dcnn import Dcnn, Maps
from inference.training.evaluate import evaluate
from inference.training.export import Decisions, dcnn_card, export_dcnn
from inference.training.fit_dcnn import DcnnFit, DcnnRecipe
from inference.training.fitting import Fit
from inference.training.kinds import KINDS
from inference.training.pin import pin_crystallinity
from inference.training.progress import Progress
from inference.training.scene_set import SceneSet, simulate_scenes
from inference.training.session_set import (
    SessionSource,
    SessionSubImages,
    streams_of,
    subimages_of_session,
)
from inference.training.subimage_set import (
    Sight,
    simulate_subimages,
    unsaved_card,
)
from inference.training.unfinished import Plan, Unfinished, writable
from streamer.errors import ModelError
from streamer.frame import JsonValue

type Image = NDArray[np.float32]

SIMULATED = "simulated by streamer.simulator"


@dataclass(frozen=True, slots=True)
class EncoderWish:
    """Which encoder is wanted."""

    kind: str
    """Of `inference.training.kinds`."""
    recipe: Any
    """Of that kind."""


@dataclass(frozen=True, slots=True)
class Base:
    """A model that is there, of which one network is taken over."""

    folder: Path
    model: Model

    @classmethod
    def load(cls, name_or_folder: str, folder: Path, threads: int) -> "Base":
        """A model by name or folder, for one that is made in `folder`.

        Raises
        ------
        ModelError
            As for `load_model`, or both are in the same folder.
        """
        base = find_model(name_or_folder)
        if base.resolve() == folder.resolve():
            raise ModelError(
                f"{folder} is the model to start from; choose another folder"
            )
        return cls(base, load_model(name_or_folder, threads))

    @property
    def facts(self) -> dict[str, JsonValue]:
        """What tells it from another model."""
        return {"name": self.model.card.name, "card_sha256": self.model.id.sha256}


def train_all(
    recipe: DcnnRecipe, wish: EncoderWish, decisions: Decisions, bench: Bench
) -> None:
    """Both networks from nothing; the bench's folder is then a model.

    Raises
    ------
    Stopped
        As was wished; the same call goes on from there.
    ModelError
        The folder cannot be used, or holds something else.
    """
    plan: Plan = {
        "trains": "all",
        "training_data": SIMULATED,
        "dcnn": asdict(recipe),
        "decisions": decisions.as_json,
        **_plan_of(wish),
    }
    kind = KINDS[wish.kind]
    with bench.begin(plan) as held:
        dcnn, dcnn_s = _trained_dcnn(recipe, bench, held)
        card = unsaved_card(decisions.threshold)
        sight = Sight(network_of(dcnn), card, kind.describer(card.pixel_size_nm))
        fit, encoder_s = _trained_on_simulation(wish, sight, bench, held)
        with writable(bench.folder):
            export_dcnn(dcnn, bench.folder)
            model = Card(
                name=model_name(bench.folder),
                dcnn=dcnn_card(bench.folder, decisions),
                encoder=kind.export(fit, bench.folder),
                provenance=bench.provenance(plan, dcnn_s + encoder_s),
                accuracy={},
            )
        bench.finish(model)


def train_dcnn(
    recipe: DcnnRecipe, decisions: Decisions, base: Base, bench: Bench
) -> None:
    """A new segmentation network, with the encoder of `base`.

    Raises
    ------
    Stopped, ModelError
        As for `train_all`.
    """
    plan: Plan = {
        "trains": "dcnn",
        "training_data": SIMULATED,
        "dcnn": asdict(recipe),
        "decisions": decisions.as_json,
        "base": base.facts,
    }
    with bench.begin(plan) as held:
        dcnn, seconds = _trained_dcnn(recipe, bench, held)
        with writable(bench.folder):
            export_dcnn(dcnn, bench.folder)
            model = Card(
                name=model_name(bench.folder),
                dcnn=dcnn_card(bench.folder, decisions),
                encoder=copy_encoder(base.model.card, base.folder, bench.folder),
                provenance=bench.provenance(plan, seconds),
                accuracy={},
                limits=base.model.card.limits,
            )
        bench.finish(model)


def train_encoder(wish: EncoderWish, base: Base, bench: Bench) -> None:
    """A new encoder, trained on simulation, with the segmentation network of `base`.

    Raises
    ------
    Stopped, ModelError
        As for `train_all`.
    """
    plan: Plan = {
        "trains": "rvae",
        "training_data": SIMULATED,
        "base": base.facts,
        **_plan_of(wish),
    }
    with bench.begin(plan) as held:
        sight = _sight_of(base, wish)
        fit, seconds = _trained_on_simulation(wish, sight, bench, held)
        with writable(bench.folder):
            model = Card(
                name=model_name(bench.folder),
                dcnn=copy_dcnn(base.model.card, base.folder, bench.folder),
                encoder=KINDS[wish.kind].export(fit, bench.folder),
                provenance=bench.provenance(plan, seconds),
                accuracy={},
                limits=base.model.card.limits,
            )
        bench.finish(model)


def train_encoder_on_session(
    wish: EncoderWish, source: SessionSource, base: Base, bench: Bench
) -> None:
    """A new encoder, trained on what the network of `base` sees in a session.

    Raises
    ------
    SessionError
        No session, or one in which there is too little to learn from.
    Stopped, ModelError
        As for `train_all`.
    """
    kind = KINDS[wish.kind]
    wish = EncoderWish(wish.kind, kind.untold(wish.recipe))
    plan: Plan = {
        "trains": "rvae --from",
        "training_data": "a recorded session",
        "streams": [*streams_of(source.folder)],
        "fraction": source.fraction,
        "base": base.facts,
        **_plan_of(wish),
    }
    with bench.begin(plan) as held:
        data = _of_session(source, _sight_of(base, wish), bench, held)
        fit = kind.fit(data.learnt, wish.recipe, bench.device)
        seconds = bench.fit("rvae", fit, wish.recipe.steps, held)
        with writable(bench.folder):
            encoder = kind.export(fit, bench.folder)
            encoder, pin = pin_crystallinity(bench.folder, encoder, kind.found, data)
            provenance = bench.provenance(plan, seconds)
            model = Card(
                name=model_name(bench.folder),
                dcnn=copy_dcnn(base.model.card, base.folder, bench.folder),
                encoder=encoder,
                provenance={**provenance, "crystallinity": pin.as_json},
                accuracy={},
                limits=(*base.model.card.limits, pin.in_words),
            )
        bench.finish(model)


def measured(folder: Path, progress: Progress) -> dict[str, JsonValue]:
    """The table of held-out movies, for the card of the model in `folder`."""
    accuracy = evaluate(Analyser(load_model(str(folder))), progress)
    return {
        condition: {name: round(value, 4) for name, value in row.items()}
        for condition, row in accuracy.items()
    }


def network_of(dcnn: Dcnn) -> Network:
    """The network as a function of numpy arrays."""
    maps = Maps(dcnn).eval()

    def network(image: Image) -> tuple[Image, Image]:
        with torch.no_grad():
            carbon, silicon = maps(torch.from_numpy(image)[None, None])
        return carbon[0].numpy(), silicon[0].numpy()

    return network


def model_name(folder: Path) -> str:
    """The folder's name, as far as it can be a model's."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", folder.resolve().name)[:64] or "model"


def _plan_of(wish: EncoderWish) -> Plan:
    return {"kind": wish.kind, "encoder": asdict(wish.recipe)}


def _sight_of(base: Base, wish: EncoderWish) -> Sight:
    card = base.model.card.dcnn
    describer = KINDS[wish.kind].describer(card.pixel_size_nm)
    return Sight(base.model.segment, card, describer)


def _trained_dcnn(
    recipe: DcnnRecipe, bench: Bench, held: Unfinished
) -> tuple[Dcnn, float]:
    wanted = SceneSet(recipe.scenes, recipe.scenes_per_movie, recipe.seed)
    with bench.stage("simulating scenes") as report:
        made = simulate_scenes(wanted, recipe.workers, held, report)
    fit = DcnnFit(made, recipe, bench.device)
    seconds = bench.fit("dcnn", fit, recipe.steps, held)
    return fit.trained, seconds


def _trained_on_simulation(
    wish: EncoderWish, sight: Sight, bench: Bench, held: Unfinished
) -> tuple[Fit, float]:
    recipe = wish.recipe
    with bench.stage("simulating sub-images") as report:
        data = simulate_subimages(recipe.movies, recipe.seed, sight, held, report)
    fit: Fit = KINDS[wish.kind].fit(data, recipe, bench.device)
    return fit, bench.fit("rvae", fit, recipe.steps, held)


def _of_session(
    source: SessionSource, sight: Sight, bench: Bench, held: Unfinished
) -> SessionSubImages:
    with bench.stage("cutting sub-images") as report:
        arrays = held.arrays(
            "session", lambda: subimages_of_session(source, sight, report)
        )
    return SessionSubImages(**arrays)
