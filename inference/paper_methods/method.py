"""The methods that are compared, each as functions of the same sub-images."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.card import WindowEncoderCard
from inference.catalogue import checked_bytes
from inference.decode import load_decoder, plane
from inference.model import Model, load_model
from inference.paper_methods.card import (
    MethodCard,
    MethodsCard,
    NetworkFile,
    read_methods_card,
)
from inference.paper_methods.sub_images import SubImages
from inference.paper_methods.told import Told
from inference.paper_methods.window_size import SIDE_PX, WindowSize
from inference.runtime import onnxruntime
from inference.session import open_session
from streamer.errors import ModelError

SHIPPED = Path(__file__).parent / "networks"
"""Those that come with the package, trained on simulation."""
PLACEMENT = ("dx", "dy")
"""Latents that tell where an atom lies within its window: no content."""
MOST_ROWS = 2**12

type Images = NDArray[np.float32]
type DrawPlane = Callable[[NDArray[np.floating], NDArray[np.floating]], Images]
"""Values of the first latent (cols,) and of the second (rows,) → images (rows, cols,
side, side)."""


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """One way to say what a sub-image is."""

    name: str
    learnt_from: str
    """In words: "simulation", "this session", "these sub-images"."""
    tell: Callable[[SubImages], Told]
    plane: Callable[[SubImages, Told], NDArray[np.floating]]
    """(N, 2): where each sub-image lies in the plane that is shown."""
    axes: tuple[str, str]
    """Names of that plane's axes."""
    draw: DrawPlane | None = None
    """What latents of that plane stand for; None where nothing can be drawn."""
    classes: Callable[[Told], NDArray[np.intp]] | None = None
    """Its own classes; None for a method that has none."""
    parts: Images | None = None
    """(k, side, side): what it puts sub-images together from; None likewise."""


def trained_methods(folder: Path, window: WindowSize) -> list[Method]:
    """The networks in a folder that see windows of this size.

    Raises
    ------
    ModelError
        No such folder, or a file that is not the one on its card.
    """
    card = read_methods_card(folder)
    return [_trained(folder, card, one) for one in card.methods if one.window == window]


def lies_as(folder: Path) -> float | None:
    """How the sheet lay in the training of the networks in a folder, degrees.

    Raises
    ------
    ModelError
        No such folder.
    """
    return read_methods_card(folder).orientation_deg


def limits_of(folder: Path, window: WindowSize) -> tuple[str, ...]:
    """What is to be known of the networks in a folder that see windows of this size.

    Raises
    ------
    ModelError
        No such folder.
    """
    limits = read_methods_card(folder).limits
    return tuple(limit for limit in limits if f"{window} windows" in limit)


def paper_rvae(name_or_folder: str, learnt_from: str) -> Method:
    """The paper's rVAE: a model whose encoder sees windows.

    Raises
    ------
    ModelError
        As for `load_model` and `load_decoder`; or an encoder of another kind.
    """
    model = load_model(name_or_folder, threads=1)
    card = model.card.encoder
    if not isinstance(card, WindowEncoderCard) or card.side_px != SIDE_PX:
        raise ModelError(f"{name_or_folder} has no encoder of {SIDE_PX}-pixel windows")
    return _of_model(
        model, name_or_folder, ("rVAE (paper's)", learnt_from), _see_windows
    )


def own_encoder(model: Model, folder: str, learnt_from: str, turn_rad: float) -> Method:
    """The encoder that made the session's latents.

    Parameters
    ----------
    turn_rad
        Of the sub-images: the encoder sees them as they were, its angles are turned.
    """

    def see(model: Model, images: SubImages) -> tuple[NDArray[np.float32], Images]:
        encoded = model.encode(images.described)
        return encoded.angle_rad + np.float32(turn_rad), encoded.latents

    name = f"{model.card.name}'s encoder"
    return _of_model(model, folder, (name, learnt_from), see)


type _See = Callable[[Model, SubImages], tuple[NDArray[np.float32], Images]]


def _see_windows(
    model: Model, images: SubImages
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    encoded = model.encode(images.windows)
    return encoded.angle_rad, encoded.latents


def _of_model(model: Model, folder: str, words: tuple[str, str], see: _See) -> Method:
    card = model.card.encoder
    names = [name for name in card.latents if name not in PLACEMENT]
    columns = [card.latents.index(name) for name in names]
    drawn = card.decoder.latents if card.decoder else ()
    shown = [*drawn, *(name for name in names if name not in drawn)][:2]
    on_plane = [names.index(name) for name in shown]

    def tell(images: SubImages) -> Told:
        angle, latents = see(model, images)
        return Told(latents[:, columns], angle)

    def placed(_images: SubImages, told: Told) -> NDArray[np.floating]:
        return told.content[:, np.resize(on_plane, 2)]

    axes = (shown[0], shown[-1])
    draw = None
    if len(drawn) > 1:
        decoder = load_decoder(folder)
        draw = lambda firsts, seconds: plane(decoder, firsts, seconds)  # noqa: E731
    return Method(*words, tell, placed, axes, draw)


def _trained(folder: Path, card: MethodsCard, method: MethodCard) -> Method:
    encoder = _opened(folder, method.encoder)
    decoder = _opened(folder, method.decoder)
    has_angle = len(encoder.get_outputs()) > 1

    def tell(images: SubImages) -> Told:
        parts = np.split(images.windows, range(MOST_ROWS, len(images), MOST_ROWS))
        told = [encoder.run(None, {"windows": part}) for part in parts]
        content, *angle = (np.concatenate(each) for each in zip(*told, strict=True))
        return Told(content, angle[0] if has_angle else None)

    def draw(firsts: NDArray[np.floating], seconds: NDArray[np.floating]) -> Images:
        grid = np.stack(np.meshgrid(firsts, seconds), axis=-1)
        content = grid.reshape(-1, 2).astype(np.float32)
        images = np.asarray(decoder.run(None, {"content": content})[0], np.float32)
        return images.reshape(len(seconds), len(firsts), SIDE_PX, SIDE_PX)

    name = "rVAE (paper's)" if method.method == "rVAE" else method.method
    learnt_from = "this session" if card.trained_on == "session" else "simulation"
    return Method(
        name, learnt_from, tell, lambda _, told: told.content, ("z1", "z2"), draw
    )


def _opened(folder: Path, network: NetworkFile) -> onnxruntime.InferenceSession:
    content = checked_bytes(folder, network.file, network.sha256)
    return open_session(content, folder / network.file, threads=1)
