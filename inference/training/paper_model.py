"""The paper's rVAE made a model that serves, beside the DCNN of another model."""

import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from inference.card import CARD_FILE, Card, DecoderCard, WindowEncoderCard
from inference.catalogue import find_model
from inference.describe import Windows
from inference.model import Model, load_model
from inference.training.export import (
    DCNN_FILE,
    DECODER_FILE,
    ENCODER_FILE,
    export_network,
    sha256_of,
)
from inference.training.fit_paper_rvae import (
    PaperRvaeRecipe,
    fit_paper_rvae,
    held_out_loss,
)
from inference.training.latent_figures import by_rvae, latent_figures, rounded
from inference.training.paper_readout import (
    HIGHEST,
    LATENT_NAMES,
    LOWEST,
    PERIOD_RAD,
    Readout,
    ServedDecoder,
    ServedWindowEncoder,
    find_readout,
    raw_latents,
)
from inference.training.paper_rvae import CONTENT, PaperRvae
from inference.training.progress import Progress
from inference.training.simulated_windows import DescribedAtoms, simulate_described
from inference.training.window_set import SMALL
from streamer.frame import JsonValue

WINDOW = "window"
HELD_IN, HELD_OUT = 0, 1
"""Movies to train on and movies to measure on have seeds of their own."""
ORDINALS = ("first", "second")
LIMITS = (
    "Made to compare with the paper: graphene-si tells orientation and order better.",
    "A content latent may have died in training, and says nothing then: the rank "
    "correlation on this card tells.",
    "Content latents may carry rotation as well as order; dx and dy tell mostly where "
    "the atom lies within its pixel.",
)


@dataclass(frozen=True, slots=True)
class PaperModelRecipe:
    """Everything that the model depends on, besides the DCNN."""

    name: str = "graphene-si-paper"
    rvae: PaperRvaeRecipe = field(default_factory=PaperRvaeRecipe)
    window: Windows = SMALL
    movies: int = 20
    """Simulated, for training; each frame's sub-images are used in part."""
    held_out_movies: int = 3
    """For the figures on the card."""
    seed: int = 1


def make_paper_model(
    source: str, recipe: PaperModelRecipe, folder: Path, progress: Progress
) -> Card:
    """Train on what the DCNN of a model sees, and make `folder` a model of both.

    Parameters
    ----------
    source
        Name or folder of the model whose DCNN is taken.
    """
    start = time.monotonic()
    model = load_model(source, threads=1)
    known = _simulated(model, recipe, recipe.movies, HELD_IN, progress)
    truth = _simulated(model, recipe, recipe.held_out_movies, HELD_OUT, progress)
    data = known.windows(WINDOW)
    rvae = fit_paper_rvae(data, recipe.rvae, progress)
    raw = raw_latents(rvae.encoder, data.windows)
    readout = find_readout(raw, data.angle_rad, data.order)
    folder.mkdir(parents=True, exist_ok=True)
    dcnn = (find_model(source) / model.card.dcnn.file).read_bytes()
    (folder / DCNN_FILE).write_bytes(dcnn)
    export_paper_rvae(rvae, readout, float(np.median(raw[:, 0])), folder)
    card = Card(
        name=recipe.name,
        dcnn=model.card.dcnn.model_copy(update={"file": DCNN_FILE}),
        encoder=_encoder_card(folder, recipe.window),
        provenance=_provenance(model, recipe, readout, time.monotonic() - start),
        accuracy=_accuracy(rvae, known, truth, recipe),
        limits=LIMITS,
    )
    text = card.model_dump_json(indent=2) + "\n"
    (folder / CARD_FILE).write_text(text, encoding="utf-8")
    return card


def export_paper_rvae(
    rvae: PaperRvae, readout: Readout, usual_rad: float, folder: Path
) -> None:
    """Write encoder and decoder; the number of sub-images stays free.

    Parameters
    ----------
    usual_rad
        A raw angle that is common in the training.
    """
    side = rvae.encoder.side_px
    free = {0: torch.export.Dim("atoms")}
    export_network(
        ServedWindowEncoder(rvae.encoder, readout).eval(),
        torch.zeros(7, side, side),
        folder / ENCODER_FILE,
        names=(["windows"], ["angle", "latents", "sigma"]),
        dynamic={"windows": free},
    )
    export_network(
        ServedDecoder(rvae, readout, usual_rad).eval(),
        torch.zeros(7, CONTENT),
        folder / DECODER_FILE,
        names=(["content"], ["images"]),
        dynamic={"content": free},
    )


def _simulated(
    model: Model,
    recipe: PaperModelRecipe,
    movies: int,
    part: int,
    progress: Progress,
) -> DescribedAtoms:
    describers = {WINDOW: recipe.window}
    seed = [recipe.seed, part]
    return simulate_described(
        movies, model.card.dcnn, model.segment, describers, seed, progress
    )


def _accuracy(
    rvae: PaperRvae,
    known: DescribedAtoms,
    truth: DescribedAtoms,
    recipe: PaperModelRecipe,
) -> dict[str, JsonValue]:
    """On the sub-images of movies that were not trained on."""
    method = by_rvae(rvae, WINDOW)
    figures = latent_figures(method(known), known, method(truth), truth)
    loss = held_out_loss(rvae, known.windows(WINDOW), recipe.rvae)
    return {
        "sub-images of held-out movies": rounded(asdict(figures)),
        "sub-images kept from training": {"negative_elbo_nats": round(loss, 3)},
    }


def _encoder_card(folder: Path, window: Windows) -> WindowEncoderCard:
    return WindowEncoderCard(
        file=ENCODER_FILE,
        sha256=sha256_of(folder / ENCODER_FILE),
        pixel_size_nm=window.windows_nm,
        side_px=window.side_px,
        latents=LATENT_NAMES,
        angle_period_rad=PERIOD_RAD,
        decoder=DecoderCard(
            file=DECODER_FILE,
            sha256=sha256_of(folder / DECODER_FILE),
            latents=LATENT_NAMES[:CONTENT],
            side_px=window.side_px,
            pixel_size_nm=window.windows_nm,
        ),
    )


def _provenance(
    model: Model, recipe: PaperModelRecipe, readout: Readout, seconds: float
) -> dict[str, JsonValue]:
    return {
        "made_by": "inference.training.paper_model",
        "recipe": asdict(recipe),
        "dcnn": {"of": model.card.name, "sha256": model.card.dcnn.sha256},
        "training_data": "simulated by streamer.simulator",
        "latents": (
            f"crystallinity is the network's {ORDINALS[readout.crystallinity]} content "
            "latent, which orders the training's sub-images best by their true order "
            f"(Spearman {readout.spearman:.3f}), scaled linearly: its percentiles "
            f"{LOWEST:g} and {HIGHEST:g} in the training became 0 and 1, in the sense "
            "in which it grows with order; z2 is the other one, as trained; dx and dy "
            "are in tenths of half a window, in the frame that is turned by the angle"
        ),
        "readout": asdict(readout),
        "versions": {
            name: version(name) for name in ("atomstream", "torch", "numpy", "onnx")
        },
        "minutes": round(seconds / 60, 1),
    }
