"""The card of networks by the paper's methods: what they are, and where from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from inference.card import CARD_FILE, FileName, JsonValue, Sha256, card_text, validated
from inference.paper_methods.window_size import WindowSize

type MethodName = Literal["convolutional AE", "plain VAE", "rVAE"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NetworkFile(_Part):
    """One ONNX file."""

    file: FileName
    sha256: Sha256


class MethodCard(_Part):
    """One method, for windows of one size."""

    method: MethodName
    window: WindowSize
    encoder: NetworkFile
    """Windows (N, side, side) → `content` (N, 2) and, of an rVAE, `angle` (N,)."""
    decoder: NetworkFile
    """`content` (N, 2) → `images` (N, side, side), of an rVAE at angle 0."""
    provenance: Mapping[str, JsonValue] = {}
    """Recipe, loss on what was held out, time."""


class MethodsCard(_Part):
    """All networks of a folder."""

    format: Literal[1] = 1
    kind: Literal["paper-methods"] = "paper-methods"
    trained_on: Literal["simulation", "session"]
    dcnn_sha256: Sha256
    """Of the network whose maps the windows were cut from."""
    orientation_deg: Annotated[float, Field(ge=-30, le=30)] | None
    """Of the sheet in training; other orientations they do not know. None: no lattice
    was seen."""
    methods: Annotated[tuple[MethodCard, ...], Field(min_length=1)]
    provenance: Mapping[str, JsonValue] = {}
    limits: tuple[str, ...] = ()


def read_methods_card(folder: Path) -> MethodsCard:
    """The card of the networks in a folder.

    Raises
    ------
    ModelError
        No card, or one that cannot be right.
    """
    return validated(MethodsCard, card_text(folder), str(folder / CARD_FILE))
