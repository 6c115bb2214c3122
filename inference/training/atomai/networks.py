"""What an AtomAI file holds: which network, its weights, and what is not in them.

A file of `save_model` says how its network is built; one of `save_weights` holds
weights alone. The shapes of the weights tell most of it either way; what they cannot
tell is taken from the file where it says it, and from AtomAI's defaults where not.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.training.atomai.archive import Saved, read_saved
from inference.training.atomai.pickled import Inert
from streamer.errors import ModelError

MIN_SIDE_PX, MAX_SIDE_PX = 4, 256
"""Of windows, as on a model's card."""
MAX_CONTENT = 15
"""Latents, as on a model's card, beside the one called crystallinity."""
SUPPORTED = "supported are AtomAI's Unet and its VAE and rVAE of fully connected layers"
MISFIT = "its weights are not those of one network"
OTHER_VAES = {
    "conv_encoder": "a VAE with a convolutional encoder",
    "conv_decoder": "a VAE with a convolutional decoder",
    "discrete_dim": "a joint VAE, with discrete latents",
    "nb_classes": "a VAE conditioned on classes",
}
"""What is not supported, by the entry that says so."""
UNET_ASSUMED = (
    "The file holds weights alone; bilinear upsampling, AtomAI's default, was assumed."
)
VAE_ASSUMED = (
    "The file holds weights alone; that neither skip, softplus_out nor sigmoid_out "
    "was chosen, as by AtomAI's defaults, was assumed."
)

type Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a network came from."""

    file: str
    sha256: str
    assumed: tuple[str, ...]
    """What the file did not say, a sentence each."""


@dataclass(frozen=True, slots=True, eq=False)
class SavedUnet:
    """A network that sees atoms."""

    source: Source
    weights: Weights
    upsampling: str = "bilinear"
    """"bilinear" or "nearest"."""
    dropout: bool | None = None
    """As the file says; None if it does not."""

    @property
    def classes(self) -> int:
        """Channels of its output; of more than one, the last is background."""
        return shape_of(self.weights, "px.weight", 4)[0]


@dataclass(frozen=True, slots=True, eq=False)
class SavedVae:
    """A network that sees order, and the one that draws it."""

    source: Source
    encoder: Weights
    decoder: Weights
    side_px: int
    """Of the windows."""
    coordinates: int
    """Of the encoder's latents that say how the window lies: 3 (angle and shifts),
    1 (angle) or, for a plain VAE, 0."""
    skip: bool = False
    """Whether each of the decoder's layers adds the first one's output."""
    softplus_out: bool = False
    """Of the encoder's log standard deviation."""
    sigmoid_out: bool = False
    """Of the decoder's intensity."""

    @property
    def content(self) -> int:
        """How many latents say what the window shows: z1, z2 and so on."""
        return shape_of(self.encoder, "fc11.weight", 2)[0] - self.coordinates


def read_network(path: Path) -> SavedUnet | SavedVae:
    """The network in a file that AtomAI saved.

    Raises
    ------
    ModelError
        Not a file of `torch.save`, damaged, or of an architecture that is not
        supported.
    """
    saved, content = read_saved(path)
    try:
        name = path.name.encode("utf-8", "replace").decode()
        return _recognised(saved, name, hashlib.sha256(content).hexdigest())
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def read_pair(
    file: Path, encoder: Path | None
) -> tuple[SavedUnet | None, SavedVae | None]:
    """The networks of one file, or of a Unet's and an encoder's.

    Raises
    ------
    ModelError
        As for `read_network`; or the two are not a Unet and a VAE or rVAE.
    """
    first = read_network(file)
    if encoder is None:
        return (first, None) if isinstance(first, SavedUnet) else (None, first)
    if not isinstance(first, SavedUnet):
        raise ModelError(f"{file} holds an encoder; give a Unet first, then --encoder")
    second = read_network(encoder)
    if not isinstance(second, SavedVae):
        raise ModelError(f"--encoder {encoder} holds a Unet; expected a VAE or rVAE")
    return first, second


def _recognised(saved: Saved, file: str, sha256: str) -> SavedUnet | SavedVae:
    tree = saved.value
    if not isinstance(tree, dict):
        raise _unknown(_kind(tree))
    if "encoder" in tree and "decoder" in tree:
        return _vae(saved, tree, file, sha256)
    if "px.weight" in tree and "c1.block.0.weight" in tree:
        source = Source(file, sha256, (UNET_ASSUMED,))
        return SavedUnet(source, saved.weights(tree))
    if isinstance(tree.get("weights"), dict) and "model_type" in tree:
        return _told_unet(saved, tree, file, sha256)
    keys = ", ".join(str(key)[:40] for key in list(tree)[:3] if isinstance(key, str))
    raise _unknown(f"a dictionary of {keys or 'nothing known'}")


def _told_unet(
    saved: Saved, told: Mapping[object, object], file: str, sha256: str
) -> SavedUnet:
    """From a file that says how its network is built."""
    if told["model_type"] != "seg" or told.get("model") != "Unet":
        kind, model = _kind(told["model_type"]), _kind(told.get("model", "of its own"))
        raise _unknown(f"a model of type {kind}, {model}")
    weights = told["weights"]
    if not isinstance(weights, dict) or 0 in weights:
        raise _unknown("an ensemble; save one of its networks")
    upsampling = told.get("upsampling", "bilinear")
    if upsampling not in ("bilinear", "nearest"):
        raise _unknown(f"a Unet with upsampling {_kind(upsampling)}")
    source, dropout = Source(file, sha256, ()), told.get("dropout")
    return SavedUnet(
        source,
        saved.weights(weights),
        str(upsampling),
        dropout if isinstance(dropout, bool) else None,
    )


def _vae(
    saved: Saved, told: Mapping[object, object], file: str, sha256: str
) -> SavedVae:
    """From an encoder and a decoder, and what may stand beside them."""
    for key, words in OTHER_VAES.items():
        if told.get(key):
            raise _unknown(words)
    encoder, decoder = (_part(saved, told, part) for part in ("encoder", "decoder"))
    outputs, _ = shape_of(encoder, "fc11.weight", 2)
    _, pixels = shape_of(encoder, "dense.0.weight", 2)
    spatial = "coord_latent.fc_latent.weight" in decoder
    first = "coord_latent.fc_latent.weight" if spatial else "decoder.0.weight"
    _, content = shape_of(decoder, first, 2)
    if content > MAX_CONTENT:
        raise _unknown(f"a VAE of {content} content latents")
    if outputs - content not in ((1, 3) if spatial else (0,)):
        raise _unknown(f"{outputs} latents, of which the decoder takes {content}")
    return SavedVae(
        Source(file, sha256, () if "model_type" in told else (VAE_ASSUMED,)),
        encoder,
        decoder,
        _side(pixels),
        coordinates=outputs - content,
        skip=told.get("skip") is True,
        softplus_out=told.get("softplus_out") is True,
        sigmoid_out=told.get("sigmoid_out") is True,
    )


def _part(saved: Saved, told: Mapping[object, object], part: str) -> Weights:
    weights = told[part]
    if not isinstance(weights, dict):
        raise _unknown(f"{_kind(weights)} in the place of the {part}'s weights")
    if any(str(name).startswith("conv") for name in weights):
        raise _unknown(f"a VAE with a convolutional {part}")
    return saved.weights(weights)


def shape_of(weights: Weights, name: str, axes: int) -> tuple[int, ...]:
    """The shape of a weight that must be there, with so many axes.

    Raises
    ------
    ModelError
        It is not, or has not.
    """
    if name not in weights:
        raise ModelError(f"{MISFIT}: {name} is missing")
    if weights[name].ndim != axes:
        raise ModelError(f"{MISFIT}: {name} is of shape {weights[name].shape}")
    return weights[name].shape


def _side(pixels: int) -> int:
    side = math.isqrt(pixels)
    if side * side != pixels:
        raise _unknown(f"an encoder of windows of {pixels} pixels, not square")
    if not MIN_SIDE_PX <= side <= MAX_SIDE_PX:
        raise _unknown(f"an encoder of windows of {side} x {side} pixels")
    return side


def _kind(value: object) -> str:
    """Words for a value that was found."""
    if isinstance(value, Inert):
        return f"{value.name:.80}"
    return repr(value[:40]) if isinstance(value, str) else type(value).__name__


def _unknown(found: str) -> ModelError:
    return ModelError(f"found {found}; {SUPPORTED}")
