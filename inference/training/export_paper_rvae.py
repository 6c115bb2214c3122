"""The paper's rVAE, trained → the encoder and decoder of a model."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from inference.card import DecoderCard, EncoderCard, WindowEncoderCard
from inference.order_parameters import orientation_deg
from inference.paper_methods.reading import PERIOD_RAD, errors_deg
from inference.paper_methods.window_size import WINDOWS_NM
from inference.training.export import (
    DECODER_FILE,
    EDGE_LIMIT,
    ENCODER_FILE,
    export_network,
    sha256_of,
    with_more,
)
from inference.training.fit_paper_rvae import PaperFit, held_out_loss
from inference.training.paper_readout import (
    HIGHEST,
    LATENT_NAMES,
    LOWEST,
    Readout,
    ServedDecoder,
    ServedWindowEncoder,
    find_readout,
    raw_latents,
)
from inference.training.paper_rvae import CONTENT, PaperRvae
from streamer.frame import JsonValue

type Ranges = tuple[tuple[float, float], ...]
ORDINALS = ("first", "second")
LIMITS = (
    EDGE_LIMIT,
    "Made to compare with the paper: graphene-si tells orientation and order better.",
    "The angle is less sure in orientations of the sheet that the training has not "
    "seen; which it has seen is in the provenance.",
    "A content latent may have died in training, and says nothing then: the rank "
    "correlation in the provenance tells.",
    "Content latents may carry rotation as well as order; dx and dy tell mostly where "
    "the atom lies within its pixel.",
)


def export_paper_fit(fit: PaperFit, folder: Path) -> EncoderCard:
    """Write encoder and decoder, read as the training's own sub-images tell."""
    data, recipe, rvae = fit.data, fit.recipe, fit.trained
    split = recipe.split(data)
    raw = raw_latents(rvae.encoder, data.windows)
    angle_rad, order = data.angle_rad[split.train], data.order[split.train]
    readout = find_readout(raw[split.train], angle_rad, order)
    usual_rad = float(np.median(raw[split.train, 0]))
    export_paper_rvae(rvae, readout, usual_rad, folder)
    facts: dict[str, JsonValue] = {
        "latents": _in_words(readout),
        "readout": asdict(readout),
        "orientation_deg": orientation_deg(angle_rad),
    }
    if recipe.test_share:
        told = readout.angle_rad(raw[split.test, 0])
        off = errors_deg(told, data.angle_rad[split.test])
        facts["held_out_angle_deg"] = round(float(np.nanmean(off)), 3)
        facts["held_out_loss_nats"] = round(held_out_loss(rvae, data, recipe), 3)
    side_px, pixel_size_nm = data.windows.shape[1], WINDOWS_NM[recipe.window]
    other = raw[split.train, -CONTENT:][:, 1 - readout.crystallinity]
    low, high = np.percentile(other, (LOWEST, HIGHEST)).tolist()
    card = _card(folder, side_px, pixel_size_nm, ((0.0, 1.0), (low, high)))
    return with_more(card, facts, LIMITS)


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


def _card(
    folder: Path, side_px: int, pixel_size_nm: float, ranges: Ranges
) -> WindowEncoderCard:
    return WindowEncoderCard(
        file=ENCODER_FILE,
        sha256=sha256_of(folder / ENCODER_FILE),
        pixel_size_nm=pixel_size_nm,
        side_px=side_px,
        latents=LATENT_NAMES,
        angle_period_rad=PERIOD_RAD,
        decoder=DecoderCard(
            file=DECODER_FILE,
            sha256=sha256_of(folder / DECODER_FILE),
            latents=LATENT_NAMES[:CONTENT],
            side_px=side_px,
            pixel_size_nm=pixel_size_nm,
            ranges=ranges,
        ),
    )


def _in_words(readout: Readout) -> str:
    return (
        f"crystallinity is the network's {ORDINALS[readout.crystallinity]} content "
        "latent, which orders the training's sub-images best by their order "
        f"(Spearman {readout.spearman:.3f}), scaled linearly: its percentiles "
        f"{LOWEST:g} and {HIGHEST:g} in the training became 0 and 1, in the sense in "
        "which it grows with order; z2 is the other one, as trained; dx and dy are in "
        "tenths of half a window, in the frame that is turned by the angle"
    )
