"""AtomAI's networks, rebuilt, as the ONNX files of a model."""

from pathlib import Path

import torch

from inference.training.atomai.networks import SavedUnet, SavedVae
from inference.training.atomai.unet import STRIDE_PX, ServedUnet
from inference.training.atomai.vae import ServedDecoder, ServedEncoder
from inference.training.export import export_network


def export_unet(saved: SavedUnet, path: Path) -> None:
    """Write the network that sees atoms; height and width stay free."""
    rows = STRIDE_PX * torch.export.Dim("rows8")
    cols = STRIDE_PX * torch.export.Dim("cols8")
    export_network(
        ServedUnet(saved).eval(),
        torch.zeros(1, 1, 128, 192),
        path,
        names=(["image"], ["carbon", "silicon"]),
        dynamic={"image": {2: rows, 3: cols}},
    )


def export_encoder(saved: SavedVae, crystallinity: int, path: Path) -> None:
    """Write the encoder; the number of windows stays free.

    Parameters
    ----------
    crystallinity
        As for `ServedEncoder`.
    """
    export_network(
        ServedEncoder(saved, crystallinity).eval(),
        torch.ones(7, saved.side_px, saved.side_px),
        path,
        names=(["windows"], ["angle", "latents", "sigma"]),
        dynamic={"windows": {0: torch.export.Dim("atoms")}},
    )


def export_decoder(saved: SavedVae, path: Path) -> None:
    """Write the decoder; the number of images stays free."""
    export_network(
        ServedDecoder(saved).eval(),
        torch.ones(7, saved.content),
        path,
        names=(["content"], ["images"]),
        dynamic={"content": {0: torch.export.Dim("images")}},
    )
