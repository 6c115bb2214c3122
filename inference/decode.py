"""What content latents mean, drawn by a model's decoder."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from inference.card import DecoderCard, read_card
from inference.catalogue import checked_bytes, find_model
from inference.runtime import onnxruntime
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
    return plane(
        decoder, _values(decoder.card, 0, steps), _values(decoder.card, 1, steps)[::-1]
    )


def plane(
    decoder: Decoder, firsts: NDArray[np.floating], seconds: NDArray[np.floating]
) -> NDArray[np.float32]:
    """(rows, cols, side, side): images where the first two latents have these values.

    Parameters
    ----------
    firsts
        (cols,) of the first latent, in its own unit: that of an analysis' columns.
    seconds
        (rows,) of the second; of no effect where there is one latent only. Others are
        in the middle of their range.
    """
    card, count = decoder.card, len(decoder.card.latents)
    content = np.empty((len(seconds), len(firsts), count), np.float32)
    content[:] = [_values(card, latent, 3)[1] for latent in range(count)]
    content[:, :, 0] = firsts[None, :]
    if count > 1:
        content[:, :, 1] = seconds[:, None]
    drawn = decoder.draw(content.reshape(-1, count))
    return drawn.reshape(len(seconds), len(firsts), *drawn.shape[1:])


def reach(card: DecoderCard, latent: int) -> tuple[float, float]:
    """From where to where a latent is worth drawing, in its own unit."""
    low, high = (float(end) for end in _values(card, latent, 2))
    return low, high


def _values(card: DecoderCard, latent: int, steps: int) -> NDArray[np.float64]:
    if latent < len(card.ranges):
        return np.linspace(*card.ranges[latent], steps)
    return np.asarray(norm.ppf(np.linspace(*QUANTILES, steps)))
