"""Networks that AtomAI saved → the folder of a model that passes its own checks.

What a file does not bring is taken from the shipped model: an encoder when only a
network that sees atoms was given, and the other way about.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from inference.card import (
    CARD_FILE,
    Card,
    DcnnCard,
    DecoderCard,
    EncoderCard,
    SiliconRule,
    WindowEncoderCard,
    read_card,
)
from inference.catalogue import DEFAULT, find_model
from inference.decode import load_decoder
from inference.model import load_model
from inference.training.atomai.export import (
    export_decoder,
    export_encoder,
    export_unet,
)
from inference.training.atomai.networks import SavedUnet, SavedVae, Source
from inference.training.atomai.unet import STRIDE_PX, reach_px
from inference.training.atomai.vae import ANGLE_PERIOD_RAD
from inference.training.copying import copy_dcnn, copy_encoder
from inference.training.dcnn import CLASSES
from inference.training.export import EDGE_LIMIT, pair_notes, sha256_of
from streamer.errors import ModelError
from streamer.frame import JsonValue

DCNN_FILE, ENCODER_FILE, DECODER_FILE = "dcnn.onnx", "encoder.onnx", "decoder.onnx"
NOT_MEASURED = (
    "Imported from AtomAI: nothing was measured here on frames of known truth."
)
CLASS_LIMITS = {
    1: "It knows atoms of one class, which are all called C.",
    2: "It knows atoms of one class, which are all called C.",
    3: "Its classes were taken to be C, Si, background, in this order: AtomAI stores "
    "no names.",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What AtomAI's files do not say of the model that they become."""

    name: str
    pixel_size_nm: float
    """Of the frames that the networks were trained on."""
    threshold: float = 0.5
    """Smallest probability at an atom's centre."""
    crystallinity: int = 1
    """Content latent that grows with order: 1, 2 … for z1, z2 …; negative if it
    shrinks."""


def bring(
    unet: SavedUnet | None, vae: SavedVae | None, wanted: Wanted, out: Path
) -> Card:
    """Write the model's folder, whole or not at all.

    Raises
    ------
    ModelError
        Weights that do not fit together, a value that no card can have, or a folder
        that is there already or cannot be made.
    """
    with _becoming(out) as folder:
        try:
            dcnn = _dcnn(unet, wanted, folder) if unet else _shipped_dcnn(folder)
            encoder = _encoder(vae, wanted, folder) if vae else _shipped_encoder(folder)
            card = Card(
                name=wanted.name,
                dcnn=dcnn,
                encoder=encoder,
                accuracy={},
                notes=(NOT_MEASURED, *pair_notes(dcnn, encoder)),
            )
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(step) for step in first["loc"]) or "the card"
            raise ModelError(f"no model can be so: {field}: {first['msg']}") from error
        text = card.model_dump_json(indent=2) + "\n"
        (folder / CARD_FILE).write_text(text, encoding="utf-8")
        load_model(str(folder), threads=1)
        if card.encoder.decoder:
            load_decoder(str(folder))
    return card


@contextmanager
def _becoming(out: Path) -> Iterator[Path]:
    """A new folder, which takes its place when all that goes into it was written."""
    try:
        if out.exists():
            raise ModelError(f"{out} is there already; give another --out")
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise ModelError(f"{out} cannot be made: {error.strerror}") from error
    try:
        folder.chmod(0o755)  # temporary folders are for their owner alone
        yield folder
        folder.rename(out)
    except OSError as error:
        raise ModelError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _dcnn(unet: SavedUnet, wanted: Wanted, folder: Path) -> DcnnCard:
    export_unet(unet, folder / DCNN_FILE)
    architecture = f"Unet of {unet.classes} classes, upsampling {unet.upsampling}"
    return DcnnCard(
        file=DCNN_FILE,
        sha256=sha256_of(folder / DCNN_FILE),
        pixel_size_nm=wanted.pixel_size_nm,
        stride_px=STRIDE_PX,
        reach_px=reach_px(unet),
        normalisation="min-max",
        classes=CLASSES,
        threshold=wanted.threshold,
        silicon=SiliconRule(),
        provenance=_from_atomai(unet.source, architecture),
        limits=(CLASS_LIMITS[unet.classes], *unet.source.assumed),
    )


def _encoder(vae: SavedVae, wanted: Wanted, folder: Path) -> EncoderCard:
    content = tuple(f"z{number}" for number in range(1, vae.content + 1))
    if abs(wanted.crystallinity) > len(content):
        raise ModelError(
            f"--crystallinity names z{abs(wanted.crystallinity)}, but "
            f"{vae.source.file} has {', '.join(content)}"
        )
    export_encoder(vae, wanted.crystallinity, folder / ENCODER_FILE)
    export_decoder(vae, folder / DECODER_FILE)
    kind = "rVAE" if vae.coordinates else "VAE"
    architecture = f"{kind} of {len(content)} content latents"
    return WindowEncoderCard(
        file=ENCODER_FILE,
        sha256=sha256_of(folder / ENCODER_FILE),
        pixel_size_nm=wanted.pixel_size_nm,
        side_px=vae.side_px,
        latents=("crystallinity", *content),
        angle_period_rad=ANGLE_PERIOD_RAD,
        decoder=DecoderCard(
            file=DECODER_FILE,
            sha256=sha256_of(folder / DECODER_FILE),
            latents=content,
            side_px=vae.side_px,
            pixel_size_nm=wanted.pixel_size_nm,
        ),
        provenance=_from_atomai(vae.source, architecture),
        limits=(*_limits_of(vae, wanted), *vae.source.assumed),
    )


def _limits_of(vae: SavedVae, wanted: Wanted) -> tuple[str, ...]:
    angle = (
        "Its angle is counter-clockwise on the screen, from a direction that this rVAE "
        "chose for itself when it was trained."
        if vae.coordinates
        else "It tells no angle: a plain VAE has none."
    )
    sign = "-" if wanted.crystallinity < 0 else ""
    order = (
        f"That {sign}z{abs(wanted.crystallinity)} is the crystallinity was said when "
        "it was imported; what its latents mean was not measured here."
    )
    return angle, order, EDGE_LIMIT


def _shipped_dcnn(folder: Path) -> DcnnCard:
    shipped = find_model(DEFAULT)
    return copy_dcnn(read_card(shipped), shipped, folder)


def _shipped_encoder(folder: Path) -> EncoderCard:
    shipped = find_model(DEFAULT)
    return copy_encoder(read_card(shipped), shipped, folder)


def _from_atomai(source: Source, architecture: str) -> dict[str, JsonValue]:
    return {
        "weights": "AtomAI",
        "architecture": architecture,
        "file": source.file,
        "sha256": source.sha256,
        "imported_with": {
            package: version(package) for package in ("atomstream", "torch", "onnx")
        },
    }
