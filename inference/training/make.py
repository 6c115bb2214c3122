"""A model from nothing, or one network of it anew: simulate, train, measure, write."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inference.analyse import Analyser
from inference.card import Card, DcnnCard, EncoderCard
from inference.evaluation.evaluate import FULL, evaluate
from inference.model import load_model
from inference.tiles import Network
from inference.training.base_model import BaseModel
from inference.training.bench import Bench
from inference.training.calibrate import (
    CalibrationRecipe,
    fit_rule,
    simulate_sightings,
)
from inference.training.copying import copy_dcnn, copy_encoder
from inference.training.dcnn import Dcnn, Maps
from inference.training.export import (
    Decisions,
    dcnn_card,
    export_dcnn,
    pair_notes,
    with_more,
)
from inference.training.fit_dcnn import DcnnFit, DcnnRecipe
from inference.training.kinds import KINDS
from inference.training.progress import Progress
from inference.training.scene_set import SceneSet, simulate_scenes
from inference.training.subimage_set import Sight, simulate_subimages, unsaved_card
from inference.training.unfinished import Plan, Unfinished, writable
from inference.training.wish import EncoderWish
from streamer.frame import JsonValue

type Image = NDArray[np.float32]

SIMULATED = "simulated by streamer.simulator"


def train_all(
    recipe: DcnnRecipe,
    wish: EncoderWish,
    calibration: CalibrationRecipe,
    bench: Bench,
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
        "calibration": asdict(calibration),
        **wish.plan,
    }
    kind = KINDS[wish.kind]
    with bench.begin(plan) as held:
        dcnn = _made_dcnn(recipe, calibration, bench, held, "all")
        card = dcnn.card
        describer = kind.describer(wish.recipe, card.pixel_size_nm)
        sight = Sight(network_of(dcnn.network), card, describer)
        encoder = _made_encoder(wish, sight, bench, held, "all")
        bench.finish(model_of(bench.folder, card, encoder))


def train_dcnn(
    recipe: DcnnRecipe, calibration: CalibrationRecipe, base: BaseModel, bench: Bench
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
        "calibration": asdict(calibration),
        "base": base.facts,
    }
    with bench.begin(plan) as held:
        dcnn = _made_dcnn(recipe, calibration, bench, held, "dcnn")
        with writable(bench.folder):
            encoder = copy_encoder(base.model.card, base.folder, bench.folder)
        bench.finish(model_of(bench.folder, dcnn.card, encoder))


def train_encoder(wish: EncoderWish, base: BaseModel, bench: Bench) -> None:
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
        **wish.plan,
    }
    with bench.begin(plan) as held:
        encoder = _made_encoder(wish, base.sight(wish), bench, held, "rvae")
        with writable(bench.folder):
            dcnn = copy_dcnn(base.model.card, base.folder, bench.folder)
        bench.finish(model_of(bench.folder, dcnn, encoder))


def measured(folder: Path, progress: Progress) -> dict[str, JsonValue]:
    """The table of held-out movies, for the card of the model in `folder`."""
    return evaluate(Analyser(load_model(str(folder))), FULL, progress).as_json()


def network_of(dcnn: Dcnn) -> Network:
    """The network as a function of numpy arrays."""
    maps = Maps(dcnn).eval()

    def network(image: Image) -> tuple[Image, Image]:
        with torch.no_grad():
            carbon, silicon = maps(torch.from_numpy(image)[None, None])
        return carbon[0].numpy(), silicon[0].numpy()

    return network


def model_of(folder: Path, dcnn: DcnnCard, encoder: EncoderCard) -> Card:
    """The model of two networks in its folder; its name is that of the folder."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", folder.resolve().name)[:64] or "model"
    notes = pair_notes(dcnn, encoder)
    return Card(name=name, dcnn=dcnn, encoder=encoder, accuracy={}, notes=notes)


@dataclass(frozen=True, slots=True)
class _MadeDcnn:
    network: Dcnn
    card: DcnnCard


def _made_dcnn(
    recipe: DcnnRecipe,
    calibration: CalibrationRecipe,
    bench: Bench,
    held: Unfinished,
    trains: str,
) -> _MadeDcnn:
    """The segmentation network, trained, calibrated and written."""
    wanted = SceneSet(recipe.scenes, recipe.scenes_per_movie, recipe.seed)
    with bench.stage("simulating scenes") as report:
        made = simulate_scenes(wanted, recipe.workers, held, report)
    fit = DcnnFit(made, recipe, bench.device)
    seconds = bench.fit("dcnn", fit, recipe.steps, held)
    dcnn = fit.trained
    decisions = _decided(dcnn, calibration, bench)
    facts: Plan = {
        "made_by": f"atomstream train {trains}",
        "training_data": SIMULATED,
        "recipe": asdict(recipe),
        "calibration": asdict(calibration),
    }
    with writable(bench.folder):
        export_dcnn(dcnn, bench.folder)
        provenance = bench.provenance(facts, seconds)
        return _MadeDcnn(dcnn, dcnn_card(bench.folder, decisions, provenance))


def _decided(dcnn: Dcnn, calibration: CalibrationRecipe, bench: Bench) -> Decisions:
    card = unsaved_card(calibration.threshold)
    with bench.stage("calibrating what is Si") as report:
        seen = simulate_sightings(calibration, card, network_of(dcnn), report)
    return Decisions(calibration.threshold, fit_rule(seen))


def _made_encoder(
    wish: EncoderWish, sight: Sight, bench: Bench, held: Unfinished, trains: str
) -> EncoderCard:
    """The encoder, trained on simulation and written."""
    recipe, kind = wish.recipe, KINDS[wish.kind]
    with bench.stage("simulating sub-images") as report:
        data = simulate_subimages(recipe.footage, recipe.seed, sight, held, report)
    fit = kind.fit(data, recipe, bench.device)
    seconds = bench.fit("rvae", fit, recipe.steps, held)
    with writable(bench.folder):
        card = kind.export(fit, bench.folder)
    facts: Plan = {
        "made_by": f"atomstream train {trains}",
        "training_data": SIMULATED,
        "dcnn_sha256": sight.card.sha256,
        **wish.facts,
    }
    return with_more(card, bench.provenance(facts, seconds))
