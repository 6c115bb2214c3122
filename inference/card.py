"""A model's card: what its files expect, what they give, and where they come from."""

import math
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from streamer.atoms import FIXED_COLUMNS, PLACE_COLUMNS, sigma_columns
from streamer.errors import ModelError

type JsonValue = (
    bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None
)
"""As in `streamer.frame`, in the only form in which pydantic follows it."""

CARD_FILE = "card.json"
MAX_CARD_BYTES = 2**20
MAX_WORDS = 300
"""Longest complaint about a card, in characters."""
KINDS = ("harmonics", "window")
"""Of encoders."""
TRIAL = "Made to try things out"
"""How the note begins on the card of a model whose training was cut short."""

type FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.onnx$")]
"""A file in the card's own folder; nothing that could lead out of it."""
type Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
type PixelSize = Annotated[float, Field(ge=0.001, le=0.1)]
"""nm."""
type Share = Annotated[float, Field(gt=0, lt=1)]
type LatentName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SiliconRule(_Part):
    """When an atom is Si: from a probability, calibrated on simulated frames.

    Its log-odds are linear in what is seen of an atom: the log-odds of Si's share in
    the network's probability there and, where the positions were refined, the
    logarithm of its brightness relative to C.
    """

    threshold: Share = 0.5
    """Least probability of an atom that is called Si."""
    seen: tuple[float, float] = (0.0, 1.0)
    """Constant and weight of the share, for an atom whose brightness is unknown."""
    measured: tuple[float, float, float] = (0.0, 1.0, 0.0)
    """Constant, weight of the share, weight of the brightness."""


class _NetworkCard(_Part):
    """One of a model's networks, wherever it is copied to."""

    file: FileName
    sha256: Sha256
    provenance: Mapping[str, JsonValue] = {}
    """Recipe, seeds, versions, time: enough to make the network again."""
    limits: tuple[str, ...] = ()
    """Where it must not be trusted, a sentence each."""


class DcnnCard(_NetworkCard):
    """The network that sees atoms."""

    pixel_size_nm: PixelSize
    """Frames are resampled to this."""
    stride_px: Annotated[int, Field(ge=2, le=64, multiple_of=2)]
    """Sides of the input are padded to multiples of this."""
    reach_px: Annotated[int, Field(ge=0, le=4096)] = 112
    """No input pixel farther than this, along either axis, decides about an output:
    by it tiles of large frames overlap. Of our own architecture unless it is said."""
    normalisation: Literal["robust", "min-max"] = "robust"
    """Of the grey values: see `inference.normalise`."""
    classes: tuple[Literal["C"], Literal["Si"], Literal["background"]]
    """In the order of the outputs."""
    threshold: Share
    """Smallest probability at an atom's centre."""
    silicon: SiliconRule


class DecoderCard(_Part):
    """The network that draws what content latents mean."""

    file: FileName
    sha256: Sha256
    latents: Annotated[tuple[LatentName, ...], Field(min_length=1, max_length=16)]
    """Those that it takes, in this order."""
    side_px: Annotated[int, Field(ge=4, le=256)]
    """Of the images that it draws, the atom in their middle, at angle 0."""
    pixel_size_nm: PixelSize
    ranges: tuple[tuple[float, float], ...] = ()
    """Of each latent, from where to where it is worth drawing; none, where all of them
    are spread as their prior, N(0, 1)."""

    @model_validator(mode="after")
    def _has_a_range_for_each(self) -> Self:
        if self.ranges and len(self.ranges) != len(self.latents):
            raise ValueError("latents and ranges differ in number")
        return self


class _EncoderCard(_NetworkCard):
    """The network that sees order around an atom."""

    pixel_size_nm: PixelSize
    """Of the sub-images, to which the maps are brought."""
    latents: Annotated[tuple[LatentName, ...], Field(min_length=1, max_length=16)]
    """Names of the outputs; "crystallinity", always there, grows with order."""
    angle_period_rad: Annotated[float, Field(gt=0, le=2 * math.pi)]
    decoder: DecoderCard | None = None

    @model_validator(mode="after")
    def _has_its_latents(self) -> Self:
        if "crystallinity" not in self.latents:
            raise ValueError("no latent is called 'crystallinity'")
        if len(set(self.latents)) != len(self.latents):
            raise ValueError("two latents have the same name")
        taken = {*PLACE_COLUMNS, *FIXED_COLUMNS, *sigma_columns(self.latents)}
        if taken.intersection(self.latents):
            name = min(taken.intersection(self.latents))
            raise ValueError(f"{name!r} is a column that every model gives")
        drawn = self.decoder.latents if self.decoder else ()
        if not set(drawn) <= set(self.latents):
            raise ValueError("the decoder takes latents that the encoder does not give")
        return self


class HarmonicsEncoderCard(_EncoderCard):
    """An encoder of sub-images that are described by rings of angular harmonics."""

    kind: Literal["harmonics"] = "harmonics"
    rings_nm: Annotated[
        tuple[Annotated[float, Field(gt=0, le=2)], ...],
        Field(min_length=1, max_length=64),
    ]
    """Radii at which a sub-image is described."""
    ring_sigma_nm: Annotated[float, Field(gt=0, le=1)]
    """Radial width of a ring."""
    max_orders: tuple[Annotated[int, Field(ge=0, le=32)], ...]
    """Highest angular order kept on each ring."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.rings_nm) != len(self.max_orders):
            raise ValueError("rings_nm and max_orders differ in length")
        return self

    @property
    def window_nm(self) -> float:
        """Diameter of the disc around an atom that the encoder sees."""
        return 2 * max(self.rings_nm)


class WindowEncoderCard(_EncoderCard):
    """An encoder of square windows cut on whole pixels, as the paper's."""

    kind: Literal["window"] = "window"
    side_px: Annotated[int, Field(ge=4, le=256)]

    @property
    def window_nm(self) -> float:
        """Side of the square around an atom that the encoder sees."""
        return self.side_px * self.pixel_size_nm


type EncoderCard = HarmonicsEncoderCard | WindowEncoderCard


class Card(_Part):
    """One model."""

    format: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    dcnn: DcnnCard
    encoder: Annotated[EncoderCard, Field(discriminator="kind")]
    accuracy: Mapping[str, JsonValue]
    """Measured against held-out truth when the model was made."""
    notes: tuple[str, ...] = ()
    """What is to be known of the model as a whole, a sentence each."""

    @property
    def trial(self) -> str | None:
        """The note that says that the model was made to try things out, if it was."""
        return next((note for note in self.notes if note.startswith(TRIAL)), None)

    @property
    def limits(self) -> tuple[str, ...]:
        """Where it must not be trusted: what is said of it and of its networks."""
        return (*self.notes, *self.dcnn.limits, *self.encoder.limits)

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 of each of the model's files, by name."""
        parts = (self.dcnn, self.encoder, self.encoder.decoder)
        return {part.file: part.sha256 for part in parts if part is not None}


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
    path = folder / CARD_FILE
    try:
        return read_regular(path, MAX_CARD_BYTES)
    except OSError as error:
        raise ModelError(
            f"{folder} is not a model: {CARD_FILE} cannot be read ({error.strerror})"
        ) from error


def read_regular(path: Path, most_bytes: int) -> bytes:
    """The content of a file of a model.

    Raises
    ------
    OSError
        It cannot be read.
    ModelError
        It is a pipe or a device, or has more than `most_bytes`.
    """
    status = path.stat()
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise ModelError(f"{path} is not a file")
    if status.st_size > most_bytes:
        raise ModelError(f"{path} is larger than any model should be")
    return path.read_bytes()


def parse_card(text: bytes, where: str) -> Card:
    """A card from its JSON; `where` names it in errors.

    Raises
    ------
    ModelError
        As for `read_card`.
    """
    return validated(Card, text, where)


def validated[T: BaseModel](kind: type[T], text: bytes, where: str) -> T:
    """A card of any kind from its JSON; `where` names it in errors.

    Raises
    ------
    ModelError
        A value that cannot be right.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # Pydantic names the chosen kind of encoder as if it were a step of the path.
        steps = [str(step) for step in first["loc"] if step not in KINDS]
        field = ".".join(steps) or "the card"
        # Names and words may be the card's own, of any length.
        words = " ".join(f"{field}: {first['msg']}".split())
        raise ModelError(f"{where}: {words:.{MAX_WORDS}}") from error
