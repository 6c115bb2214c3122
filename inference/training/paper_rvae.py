"""The paper's rVAE, with its authors' layers, grid and priors.

The encoder sees a window and gives a mean and a log standard deviation of five latents:
angle, dx, dy, z1, z2. The decoder draws the intensity at one position from z1 and z2;
the angle and (dx, dy) turn and displace the positions that it is asked for, so that z1
and z2 need not tell them.

Two losses are known by its name. Its authors' code charges for the angle's spread
only, wherever its mean lies; the formula printed in the paper charges for the mean as
well, which holds the angle to a few degrees and leaves the 60° between the two
sublattices to z1 and z2.

References
----------
Kalinin et al., Sci. Adv. 7, eabd5084 (2021). Ziatdinov et al., AtomAI 0.8.1
(`atomai.models.rVAE`): layers, grid and the loss that was run. Bepler et al., NeurIPS
2019: decoder over coordinates.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from inference.training.rvae import (
    HIDDEN,
    Decoder,
    kl_content,
    kl_residual,
)

TRANSLATION_PRIOR = 0.1
"""Half-windows for one unit of dx or dy."""
CONTENT = 2
LATENTS = 3 + CONTENT
"""angle, dx, dy, z1, z2, in this order."""

type RotationLoss = Literal["authors", "printed"]
LOSSES: tuple[RotationLoss, ...] = ("authors", "printed")


class WindowEncoder(nn.Module):
    """Windows (B, side, side) → means (B, latents) and log standard deviations.

    The windows' values are multiplied by `contrast` first.
    """

    def __init__(
        self, side_px: int, latents: int = LATENTS, contrast: float = 1.0
    ) -> None:
        super().__init__()
        self.side_px, self.contrast = side_px, contrast
        self.body = nn.Sequential(
            nn.Flatten(),
            nn.Linear(side_px**2, HIDDEN),
            nn.Tanh(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.Tanh(),
        )
        self.mean = nn.Linear(HIDDEN, latents)
        self.log_sd = nn.Linear(HIDDEN, latents)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """The posterior of each window."""
        hidden = self.body(self.contrast * windows)
        return self.mean(hidden), self.log_sd(hidden)


class PaperRvae(nn.Module):
    """Both halves."""

    def __init__(self, side_px: int, contrast: float = 1.0) -> None:
        super().__init__()
        self.encoder = WindowEncoder(side_px, contrast=contrast)
        self.decoder = Decoder(CONTENT)
        self.register_buffer("grid", window_grid(side_px))

    def draw(self, latents: Tensor, grid: Tensor) -> Tensor:
        """(B, P) intensities for latents (B, 5) at positions (P, 2) of the window.

        Those of the windows, times the contrast.
        """
        where = seen_from(grid, latents[:, 0], latents[:, 1:3])
        intensities: Tensor = self.decoder(latents[:, 3:], where)
        return intensities


def window_grid(side_px: int) -> Tensor:
    """(side², 2) positions of a window's pixels, row by row: down and left, ± 1."""
    down = torch.linspace(-1, 1, side_px)
    left = torch.linspace(1, -1, side_px)
    return torch.stack(torch.meshgrid(down, left, indexing="ij"), dim=-1).flatten(0, 1)


def seen_from(grid: Tensor, angle: Tensor, shift: Tensor) -> Tensor:
    """(B, P, 2): where the decoder is asked for what it draws at positions (P, 2).

    Turned by `angle` (B,), then displaced by `shift` (B, 2): what is drawn turns
    counter-clockwise on the screen as the angle grows.
    """
    cos, sin = torch.cos(angle)[:, None], torch.sin(angle)[:, None]
    down, left = grid[:, 0], grid[:, 1]
    turned = torch.stack([down * cos - left * sin, down * sin + left * cos], dim=-1)
    return turned + TRANSLATION_PRIOR * shift[:, None]


def kl_rotation(mean: Tensor, log_sd: Tensor, loss: RotationLoss) -> Tensor:
    """KL from N(mean, sd) of the angle to its prior, nats per sub-image (B,).

    "printed" is the whole of it; "authors" leaves the mean out, as AtomAI does.
    """
    charged = mean if loss == "printed" else torch.zeros_like(mean)
    return kl_residual(charged, log_sd)


def negative_elbo(
    rvae: PaperRvae,
    windows: Tensor,
    pixels: Tensor,
    loss: RotationLoss,
    generator: torch.Generator,
) -> Tensor:
    """Mean over a batch (B, side, side) of error and KL terms, nats per sub-image.

    Parameters
    ----------
    pixels
        (K,): of each window, those that are drawn; scaled up, they estimate the error
        of all of them without bias, at K/side² of the cost.
    """
    mean, log_sd = rvae.encoder(windows)
    noise = torch.randn(mean.shape, generator=generator)
    drawn = rvae.draw(mean + torch.exp(log_sd) * noise, rvae.grid[pixels])
    target = rvae.encoder.contrast * windows.flatten(1)[:, pixels]
    squared = (drawn - target) ** 2
    error = 0.5 * squared.sum(dim=1) * (len(rvae.grid) / len(pixels))
    kl = kl_rotation(mean[:, 0], log_sd[:, 0], loss)
    kl = kl + kl_content(mean[:, 1:], log_sd[:, 1:])
    return (error + kl).mean()
