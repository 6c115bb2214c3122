"""Trained networks → a model's folder: ONNX files and the card that describes them."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import onnx
import torch
from torch import nn

from inference.card import (
    CARD_FILE,
    Card,
    DcnnCard,
    DecoderCard,
    EncoderCard,
    HarmonicsEncoderCard,
    SiliconRule,
)
from inference.harmonics import Rings
from inference.training.dcnn import CLASSES, STRIDE_PX, Dcnn, Maps
from inference.training.rvae import (
    DRAWN_NM,
    SYMMETRY,
    Decoder,
    Drawn,
    Encoder,
    Served,
)
from inference.training.scenes import PIXEL_SIZE_NM
from streamer.frame import JsonValue

OPSET = 18
DCNN_FILE, ENCODER_FILE, DECODER_FILE = "dcnn.onnx", "encoder.onnx", "decoder.onnx"
DCNN_LIMITS = (
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
)
"""Of what is trained on this simulation, whatever the seed."""
STRANGERS = (
    "The encoder was trained on the maps of another network than this model's: what "
    "it says of order was not learnt on these."
)
EDGE_LIMIT = (
    "Crystallinity and angle of atoms flagged `edge` rest on what of their "
    "surroundings is in the frame."
)


def export_dcnn(network: Dcnn, folder: Path) -> None:
    """Write the segmentation network; height and width stay free."""
    rows, cols = (STRIDE_PX * torch.export.Dim(name) for name in ("rows", "cols"))
    export_network(
        Maps(network).eval(),
        torch.zeros(1, 1, 128, 192),
        folder / DCNN_FILE,
        names=(["image"], ["carbon", "silicon"]),
        dynamic={"image": {2: rows, 3: cols}},
    )


def export_encoder(encoder: Encoder, folder: Path) -> None:
    """Write the encoder; the number of sub-images stays free."""
    features = len(encoder.scale)
    export_network(
        Served(encoder).eval(),
        torch.ones(7, features),
        folder / ENCODER_FILE,
        names=(["harmonics"], ["angle", "latents", "sigma"]),
        dynamic={"harmonics": {0: torch.export.Dim("atoms")}},
    )


def export_decoder(decoder: Decoder, rings: Rings, folder: Path) -> DecoderCard:
    """Write the decoder; the number of images stays free."""
    drawn = Drawn(decoder, rings).eval()
    latents = decoder.from_content.in_features
    export_network(
        drawn,
        torch.zeros(7, latents),
        folder / DECODER_FILE,
        names=(["content"], ["images"]),
        dynamic={"content": {0: torch.export.Dim("images")}},
    )
    return DecoderCard(
        file=DECODER_FILE,
        sha256=sha256_of(folder / DECODER_FILE),
        latents=tuple(f"z{number + 1}" for number in range(latents)),
        side_px=drawn.side_px,
        pixel_size_nm=DRAWN_NM,
    )


def export_network(
    module: nn.Module,
    example: torch.Tensor,
    path: Path,
    names: tuple[list[str], list[str]],
    dynamic: dict[str, dict[int, object]],
) -> None:
    """Write one network as one file.

    Parameters
    ----------
    names
        Of its inputs and of its outputs.
    dynamic
        Axes of the inputs whose length stays free.
    """
    program = torch.onnx.export(
        module,
        (example,),
        input_names=names[0],
        output_names=names[1],
        dynamic_shapes=dynamic,
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    proto = program.model_proto
    # Where it was traced is of no use to anyone and differs between machines.
    for node in proto.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in (*proto.graph.value_info, *proto.graph.input, *proto.graph.output):
        value.ClearField("metadata_props")
    onnx.save(proto, path)


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the networks leave to be decided, found on a calibration set."""

    threshold: float = 0.35
    silicon: SiliconRule = field(default_factory=SiliconRule)


def dcnn_card(
    folder: Path, decisions: Decisions, provenance: Mapping[str, JsonValue]
) -> DcnnCard:
    """What the segmentation network in `folder` expects and gives."""
    return DcnnCard(
        file=DCNN_FILE,
        sha256=sha256_of(folder / DCNN_FILE),
        pixel_size_nm=PIXEL_SIZE_NM,
        stride_px=STRIDE_PX,
        classes=CLASSES,
        threshold=decisions.threshold,
        silicon=decisions.silicon,
        provenance=provenance,
        limits=DCNN_LIMITS,
    )


def encoder_card(
    folder: Path, rings: Rings, decoder: DecoderCard
) -> HarmonicsEncoderCard:
    """What the encoder in `folder` expects and gives."""
    return HarmonicsEncoderCard(
        file=ENCODER_FILE,
        sha256=sha256_of(folder / ENCODER_FILE),
        pixel_size_nm=rings.pixel_size_nm,
        rings_nm=rings.radii_nm,
        ring_sigma_nm=rings.sigma_nm,
        max_orders=rings.max_orders,
        latents=("crystallinity", "z1", "z2"),
        angle_period_rad=2 * math.pi / SYMMETRY,
        decoder=decoder,
        limits=(EDGE_LIMIT,),
    )


def with_more(
    card: EncoderCard, facts: Mapping[str, JsonValue], limits: tuple[str, ...] = ()
) -> EncoderCard:
    """The card of an encoder of which more is told: of its making, and its limits."""
    more = {
        "provenance": {**card.provenance, **facts},
        "limits": (*card.limits, *limits),
    }
    return card.model_copy(update=more)


def pair_notes(dcnn: DcnnCard, encoder: EncoderCard) -> tuple[str, ...]:
    """What is to be said of two networks in one model."""
    trained_on = encoder.provenance.get("dcnn_sha256", dcnn.sha256)
    return () if trained_on == dcnn.sha256 else (STRANGERS,)


def write_card(folder: Path, card: Card) -> None:
    """Make the networks in `folder` a model."""
    text = card.model_dump_json(indent=2) + "\n"
    (folder / CARD_FILE).write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """As a card states it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
