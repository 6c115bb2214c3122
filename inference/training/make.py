"""A model from nothing: simulate, train both networks, measure, write the folder."""

import platform
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inference.analyse import Analyser
from inference.evaluation.evaluate import FULL, evaluate
from inference.harmonics import Rings
from inference.model import load_model
from inference.segment import Network
from inference.training.calibrate import fit_rule, simulate_sightings
from inference.training.dcnn import Dcnn, Maps
from inference.training.export import (
    Decisions,
    export_dcnn,
    export_decoder,
    export_encoder,
    write_card,
)
from inference.training.fit_dcnn import DcnnRecipe, fit_dcnn, simulate_scenes
from inference.training.fit_rvae import RvaeRecipe, fit_rvae
from inference.training.subimage_set import simulate_subimages, unsaved_card
from streamer.frame import JsonValue

RINGS = Rings(
    radii_nm=(0.06, 0.115, 0.17, 0.225, 0.28, 0.335, 0.39, 0.445, 0.5),
    sigma_nm=0.03,
    # As many as the distance of neighbouring atoms can make vary around the ring.
    max_orders=(2, 5, 7, 9, 12, 12, 12, 12, 12),
    pixel_size_nm=0.04,
)

type Image = NDArray[np.float32]
type Stage = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""A named part of the work, with something to report progress to."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a model depends on."""

    name: str = "graphene-si"
    dcnn: DcnnRecipe = field(default_factory=DcnnRecipe)
    rvae: RvaeRecipe = field(default_factory=RvaeRecipe)
    threshold: float = 0.35
    """Smallest probability at the centre of an atom."""
    calibration_movies: int = 16
    threads: int = 2


def make_model(recipe: Recipe, folder: Path, stage: Stage) -> None:
    """Train, export, and measure; `folder` is then a model."""
    torch.set_num_threads(recipe.threads)
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with stage("simulating scenes") as report:
        made = simulate_scenes(recipe.dcnn, report)
    with stage("training the DCNN") as report:
        dcnn = fit_dcnn(made, recipe.dcnn, report)
    export_dcnn(dcnn, folder)
    with stage("calibrating what is Si") as report:
        silicon = fit_rule(
            simulate_sightings(
                recipe.calibration_movies,
                unsaved_card(recipe.threshold),
                network_of(dcnn),
                recipe.dcnn.seed,
                report,
            )
        )
    decisions = Decisions(recipe.threshold, silicon)
    with stage("simulating sub-images") as report:
        subimages = simulate_subimages(
            recipe.rvae.movies,
            recipe.threshold,
            network_of(dcnn),
            RINGS,
            recipe.rvae.seed,
            report,
        )
    with stage("training the rVAE") as report:
        rvae = fit_rvae(subimages, RINGS, recipe.rvae, report)
    export_encoder(rvae.encoder, folder)
    decoder = export_decoder(rvae.decoder, RINGS, folder)
    provenance = provenance_of(recipe, time.monotonic() - start)
    write_card(folder, recipe.name, RINGS, decisions, decoder, provenance, {})
    with stage("measuring") as report:
        figures = evaluate(Analyser(load_model(str(folder))), FULL, report)
    accuracy = figures.as_json()
    write_card(folder, recipe.name, RINGS, decisions, decoder, provenance, accuracy)


def network_of(dcnn: Dcnn) -> Network:
    """The network as a function of numpy arrays."""
    maps = Maps(dcnn).eval()

    def network(image: Image) -> tuple[Image, Image]:
        with torch.no_grad():
            carbon, silicon = maps(torch.from_numpy(image)[None, None])
        return carbon[0].numpy(), silicon[0].numpy()

    return network


def provenance_of(recipe: Recipe, seconds: float) -> dict[str, JsonValue]:
    """Recipe, versions and time: enough to make the model again."""
    return {
        "made_by": "python -m inference.training",
        "recipe": asdict(recipe),
        "training_data": "simulated by streamer.simulator",
        "versions": {
            name: version(name) for name in ("atomstream", "torch", "numpy", "onnx")
        },
        "machine": f"{platform.machine()}, {recipe.threads} threads",
        "minutes": round(seconds / 60, 1),
    }
