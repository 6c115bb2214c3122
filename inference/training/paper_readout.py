"""What the raw latents of the paper's rVAE mean, and the networks that say so.

Where its angle is nought, which of z1 and z2 orders sub-images and which way up, are
accidents of each training; here they are read off against what is known of the
training's own sub-images, and built into the networks that are exported.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inference.evaluation.ranks import rank_correlation
from inference.evaluation.scoring import BULK
from inference.paper_methods.reading import PERIOD_RAD, best_latent, mean_offset_rad
from inference.training.paper_rvae import CONTENT, PaperRvae, WindowEncoder

LOWEST, HIGHEST = 1.0, 99.0
"""Percentiles of the better content latent that become crystallinity 0 and 1."""
LATENT_NAMES = ("crystallinity", "z2", "dx", "dy")
"""Of the encoder that is exported."""


@dataclass(frozen=True, slots=True)
class Readout:
    """How raw latents are read."""

    angle_offset_rad: float
    """What is added to the raw angle."""
    crystallinity: int
    """Which of the content latents it is: 0 for z1, 1 for z2."""
    origin: float
    """Value of that latent at which crystallinity is 0."""
    scale: float
    """By how much the latent grows from there to crystallinity 1; may be negative."""
    spearman: float
    """Rank correlation of crystallinity with the order it was read by."""

    def angle_rad(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N,) orientations, ± π/3, from raw angles."""
        angle = raw + np.float32(self.angle_offset_rad)
        return np.asarray(angle - PERIOD_RAD * np.round(angle / PERIOD_RAD), np.float32)


def find_readout(
    raw: NDArray[np.float32],
    angle_rad: NDArray[np.float32],
    order: NDArray[np.float32],
) -> Readout:
    """The reading that agrees best with known orientations and order.

    Parameters
    ----------
    raw
        (N, 5): means of angle, dx, dy, z1, z2.
    angle_rad, order
        (N,): as in `WindowSet`.
    """
    # Noise of detected positions may leave less than a tenth above the bulk's limit.
    certain = order >= min(BULK, float(np.percentile(order, 90)))
    offset = mean_offset_rad(raw[certain, 0], angle_rad[certain])
    content = raw[:, -CONTENT:]
    best, sign = best_latent(content, order)
    low, high = np.percentile(content[:, best], (LOWEST, HIGHEST))
    if sign < 0:
        low, high = high, low
    rho = sign * rank_correlation(content[:, best], order)
    scale = float(high - low) or 1.0  # a latent that is dead has no scale
    return Readout(offset, best, float(low), scale, rho)


def raw_latents(
    encoder: WindowEncoder, windows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(N, latents) means for (N, side, side) windows."""
    parts = torch.from_numpy(windows).split(8192)
    with torch.no_grad():
        return np.concatenate([encoder(part)[0].numpy() for part in parts])


class ServedWindowEncoder(nn.Module):
    """(N, side, side) windows → angle (N,), latents (N, 4), sigma (N, 5)."""

    def __init__(self, encoder: WindowEncoder, readout: Readout) -> None:
        super().__init__()
        self.encoder = encoder
        self.offset_rad = readout.angle_offset_rad
        # Raw columns are angle, dx, dy, z1, z2.
        first, other = 3 + readout.crystallinity, 4 - readout.crystallinity
        self.register_buffer("columns", torch.tensor([0, first, other, 1, 2]))
        self.register_buffer("origin", torch.tensor([readout.origin, 0, 0, 0]))
        self.register_buffer("scale", torch.tensor([readout.scale, 1, 1, 1]))

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Angle in rad, ± π/3; `LATENT_NAMES`; standard deviations of all five."""
        mean, log_sd = self.encoder(windows)
        mean, sd = mean[:, self.columns], torch.exp(log_sd[:, self.columns])
        angle = mean[:, 0] + self.offset_rad
        wrapped = angle - PERIOD_RAD * torch.round(angle / PERIOD_RAD)
        latents = (mean[:, 1:] - self.origin) / self.scale
        spread = sd[:, 1:] / self.scale.abs()
        return wrapped, latents, torch.cat([sd[:, :1], spread], dim=1)


class ServedDecoder(nn.Module):
    """Content (N, 2), crystallinity and z2 → images (N, side, side) at angle 0."""

    def __init__(self, rvae: PaperRvae, readout: Readout, usual_rad: float) -> None:
        """Draw at that of the three equal angles which is nearest to `usual_rad`."""
        super().__init__()
        self.rvae = rvae
        self.side_px = rvae.encoder.side_px
        turns = round((usual_rad + readout.angle_offset_rad) / PERIOD_RAD)
        raw = turns * PERIOD_RAD - readout.angle_offset_rad
        self.register_buffer("pose", torch.tensor([[raw, 0.0, 0.0]]))
        self.crystallinity = readout.crystallinity
        self.origin, self.scale = readout.origin, readout.scale

    def forward(self, content: Tensor) -> Tensor:
        """Probability of an atom at each pixel."""
        first = self.origin + self.scale * content[:, :1]
        pair = [first, content[:, 1:]]
        if self.crystallinity == 1:
            pair.reverse()
        latents = torch.cat([self.pose.expand(content.shape[0], 3), *pair], dim=1)
        drawn = self.rvae.draw(latents, self.rvae.grid) / self.rvae.encoder.contrast
        return drawn.unflatten(1, (self.side_px, self.side_px))
