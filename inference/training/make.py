"""A model from nothing, or one network of it anew: simulate, train, measure, write."""

import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inference.analyse import Analyser
from inference.card import Card
from inference.evaluation.evaluate import FULL, evaluate
from inference.model import load_model
from inference.segment import Network
from inference.training.base_model import BaseModel
from inference.training.bench import Bench
from inference.training.calibrate import (
    CalibrationRecipe,
    fit_rule,
    simulate_sightings,
)
from inference.training.copying import copy_dcnn, copy_encoder
from inference.training.dcnn import Dcnn, Maps
from inference.training.export import Decisions, dcnn_card, export_dcnn
from inference.training.fit_dcnn import DcnnFit, DcnnRecipe
from inference.training.fitting import Fit
from inference.training.kinds import KINDS
from inference.training.progress import Progress
from inference.training.scene_set import SceneSet, simulate_scenes
from inference.training.subimage_set import Sight, simulate_subimages, unsaved_card
from inference.training.unfinished import Plan, Unfinished, writable
from inference.training.wish import EncoderWish
from streamer.frame import JsonValue

type Image = NDArray[np.float32]

SIMULATED = "simulated by streamer.simulator"
LIMITS = (
    "Graphene with Si only. Frames of other lattices are flagged; what is called C or "
    "Si in them is neither.",
    "Neighbours merge beyond a probe of about 0.15 nm (full width at half maximum), or "
    "some nm out of focus: such frames are flagged as blurred or too noisy, though not "
    "all of them.",
    "The nominal dose is the simulator's, 65 counts a C atom; by multislice as many "
    "electrons give 45.",
    "Frames of which the sheet covers less than a tenth are normalised by their "
    "vacuum, and atoms are missed.",
    "Frames with fewer than 40 atoms away from the border are judged only for noise.",
    "Crystallinity and angle of atoms flagged `edge` rest on what of their "
    "surroundings is in the frame.",
)
"""Of what is trained on this simulation, whatever the seed."""


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
        dcnn, dcnn_s = _trained_dcnn(recipe, bench, held)
        decisions = _decided(dcnn, calibration, bench)
        card = unsaved_card(decisions.threshold)
        describer = kind.describer(wish.recipe, card.pixel_size_nm)
        sight = Sight(network_of(dcnn), card, describer)
        fit, encoder_s = _trained_on_simulation(wish, sight, bench, held)
        with writable(bench.folder):
            export_dcnn(dcnn, bench.folder)
            encoder = kind.export(fit, bench.folder)
            provenance = bench.provenance(plan, dcnn_s + encoder_s)
            model = Card(
                name=model_name(bench.folder),
                dcnn=dcnn_card(bench.folder, decisions),
                encoder=encoder.card,
                provenance={**provenance, **encoder.provenance},
                accuracy={},
                limits=(*LIMITS, *encoder.limits),
            )
        bench.finish(model)


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
        dcnn, seconds = _trained_dcnn(recipe, bench, held)
        decisions = _decided(dcnn, calibration, bench)
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
        sight = base.sight(wish)
        fit, seconds = _trained_on_simulation(wish, sight, bench, held)
        with writable(bench.folder):
            encoder = KINDS[wish.kind].export(fit, bench.folder)
            model = Card(
                name=model_name(bench.folder),
                dcnn=copy_dcnn(base.model.card, base.folder, bench.folder),
                encoder=encoder.card,
                provenance={**bench.provenance(plan, seconds), **encoder.provenance},
                accuracy={},
                limits=(*base.model.card.limits, *encoder.limits),
            )
        bench.finish(model)


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


def model_name(folder: Path) -> str:
    """The folder's name, as far as it can be a model's."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", folder.resolve().name)[:64] or "model"


def _trained_dcnn(
    recipe: DcnnRecipe, bench: Bench, held: Unfinished
) -> tuple[Dcnn, float]:
    wanted = SceneSet(recipe.scenes, recipe.scenes_per_movie, recipe.seed)
    with bench.stage("simulating scenes") as report:
        made = simulate_scenes(wanted, recipe.workers, held, report)
    fit = DcnnFit(made, recipe, bench.device)
    seconds = bench.fit("dcnn", fit, recipe.steps, held)
    return fit.trained, seconds


def _decided(dcnn: Dcnn, calibration: CalibrationRecipe, bench: Bench) -> Decisions:
    card = unsaved_card(calibration.threshold)
    with bench.stage("calibrating what is Si") as report:
        seen = simulate_sightings(calibration, card, network_of(dcnn), report)
    return Decisions(calibration.threshold, fit_rule(seen))


def _trained_on_simulation(
    wish: EncoderWish, sight: Sight, bench: Bench, held: Unfinished
) -> tuple[Fit, float]:
    recipe = wish.recipe
    with bench.stage("simulating sub-images") as report:
        data = simulate_subimages(recipe.movies, recipe.seed, sight, held, report)
    fit: Fit = KINDS[wish.kind].fit(data, recipe, bench.device)
    return fit, bench.fit("rvae", fit, recipe.steps, held)
