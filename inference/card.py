"""A model's card: what its files expect, what they give, and where they come from."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from streamer.atoms import FIXED_COLUMNS, PLACE_COLUMNS
from streamer.errors import ModelError
from streamer.frame import JsonValue

CARD_FILE = "card.json"

type FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.onnx$")]
"""A file in the card's own folder; nothing that could lead out of it."""
type Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
type PixelSize = Annotated[float, Field(ge=0.001, le=0.1)]
"""nm."""
type Share = Annotated[float, Field(gt=0, lt=1)]
type LatentName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DcnnCard(_Part):
    """The network that sees atoms."""

    file: FileName
    sha256: Sha256
    pixel_size_nm: PixelSize
    """Frames are resampled to this."""
    stride_px: Annotated[int, Field(ge=2, le=64, multiple_of=2)]
    """Sides of the input are padded to multiples of this."""
    classes: tuple[Literal["C"], Literal["Si"], Literal["background"]]
    """In the order of the outputs."""
    threshold: Share
    """Smallest probability at an atom's centre."""
    silicon_share: Share
    """An atom is Si when Si has at least this share of its probability."""


class EncoderCard(_Part):
    """The network that sees order around an atom."""

    file: FileName
    sha256: Sha256
    pixel_size_nm: PixelSize
    """Of the sub-images: twice that of the maps, which are halved."""
    rings_nm: Annotated[
        tuple[Annotated[float, Field(gt=0, le=2)], ...],
        Field(min_length=1, max_length=64),
    ]
    """Radii at which a sub-image is described."""
    ring_sigma_nm: Annotated[float, Field(gt=0, le=1)]
    """Radial width of a ring."""
    max_orders: tuple[Annotated[int, Field(ge=0, le=32)], ...]
    """Highest angular order kept on each ring."""
    latents: Annotated[tuple[LatentName, ...], Field(min_length=1, max_length=16)]
    """Names of the outputs; "crystallinity", always there, grows with order."""
    angle_period_rad: Annotated[float, Field(gt=0, le=2 * math.pi)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.rings_nm) != len(self.max_orders):
            raise ValueError("rings_nm and max_orders differ in length")
        if "crystallinity" not in self.latents:
            raise ValueError("no latent is called 'crystallinity'")
        if len(set(self.latents)) != len(self.latents):
            raise ValueError("two latents have the same name")
        taken = {*PLACE_COLUMNS, *FIXED_COLUMNS}.intersection(self.latents)
        if taken:
            raise ValueError(f"{min(taken)!r} is a column that every model gives")
        return self

    @property
    def window_nm(self) -> float:
        """Diameter of the disc around an atom that the encoder sees."""
        return 2 * max(self.rings_nm)


class Card(_Part):
    """One model."""

    format: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    dcnn: DcnnCard
    encoder: EncoderCard
    provenance: Mapping[str, JsonValue]
    """Recipe, seeds, versions, time: enough to make the model again."""
    accuracy: Mapping[str, JsonValue]
    """Measured against held-out truth when the model was made."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        maps_nm, subimages_nm = self.dcnn.pixel_size_nm, self.encoder.pixel_size_nm
        if not math.isclose(subimages_nm, 2 * maps_nm, rel_tol=1e-6):
            raise ValueError(
                f"encoder.pixel_size_nm is {subimages_nm}, not twice the "
                f"{maps_nm} of dcnn.pixel_size_nm"
            )
        return self


def read_card(folder: Path) -> Card:
    """The card in a model's folder.

    Raises
    ------
    ModelError
        No card, not JSON, of another format, or a value that cannot be right.
    """
    return parse_card(card_text(folder), str(folder / CARD_FILE))


def card_text(folder: Path) -> bytes:
    """The bytes of the card in a model's folder, of which its SHA-256 is taken.

    Raises
    ------
    ModelError
        No card, or one that cannot be read.
    """
    try:
        return (folder / CARD_FILE).read_bytes()
    except OSError as error:
        raise ModelError(
            f"{folder} is not a model: {CARD_FILE} cannot be read ({error.strerror})"
        ) from error


def parse_card(text: bytes, where: str) -> Card:
    """A card from its JSON; `where` names it in errors.

    Raises
    ------
    ModelError
        As for `read_card`.
    """
    try:
        return Card.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(step) for step in first["loc"]) or "the card"
        raise ModelError(f"{where}: {field}: {first['msg']}") from error
