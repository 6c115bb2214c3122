"""What content latents mean, drawn by a model's decoder."""

from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy.stats import norm

from inference.card import DecoderCard, read_card
from inference.catalogue import checked_bytes, find_model
from inference.session import open_session
from streamer.errors import ModelError

QUANTILES = (0.05, 0.95)
"""Of the latents' prior, N(0, 1), between which a manifold is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Decoder:
    """The network that turns content latents back into sub-images."""

    card: DecoderCard
    session: onnxruntime.InferenceSession

    def draw(self, content: NDArray[np.float32]) -> NDArray[np.float32]:
        """Images (N, side, side) at angle 0 of content (N, z), as on the card."""
        images = self.session.run(None, {"content": content.astype(np.float32)})[0]
        return np.asarray(images, np.float32)


def load_decoder(name_or_folder: str) -> Decoder:
    """The decoder of a shipped model, or of one in a folder.

    Raises
    ------
    ModelError
        No such model, one without a decoder, or a file that is not the one on its card
        or does not draw what the card says.
    """
    folder = find_model(name_or_folder)
    card = read_card(folder).encoder.decoder
    if card is None:
        raise ModelError(f"the model in {folder} has no decoder")
    content = checked_bytes(folder, card.file, card.sha256)
    decoder = Decoder(card, open_session(content, folder / card.file, threads=1))
    takes = [(item.name, item.shape[1:]) for item in decoder.session.get_inputs()]
    gives = decoder.session.get_outputs()[0].shape[1:]
    wanted, image = [("content", [len(card.latents)])], [card.side_px, card.side_px]
    if takes != wanted or gives != image:
        raise ModelError(
            f"{card.file} takes {takes} and draws {gives}; its card describes "
            f"{wanted} and {image}"
        )
    return decoder


def manifold(decoder: Decoder, steps: int) -> NDArray[np.float32]:
    """(steps, steps, side, side): images over the plane of the first two latents.

    The first grows to the right and the second upwards, as in Fig. 5 of the paper:
    through the range that the card gives, or at equally likely values of the prior.
    Other latents are in the middle of theirs.
    """
    card, count = decoder.card, len(decoder.card.latents)
    content = np.empty((steps, steps, count), np.float32)
    content[:] = [_values(card, latent, 3)[1] for latent in range(count)]
    content[:, :, 0] = _values(card, 0, steps)[None, :]
    if count > 1:
        content[:, :, 1] = _values(card, 1, steps)[::-1, None]
    drawn = decoder.draw(content.reshape(steps**2, -1))
    return drawn.reshape(steps, steps, *drawn.shape[1:])


def _values(card: DecoderCard, latent: int, steps: int) -> NDArray[np.float64]:
    if card.ranges:
        return np.linspace(*card.ranges[latent], steps)
    return np.asarray(norm.ppf(np.linspace(*QUANTILES, steps)))
