"""The rotationally invariant VAE, in the canonical frame of each sub-image.

The orientation comes in closed form from the phases of the harmonics of order three;
the encoder sees the sub-image turned back by it, and so cannot tell how the lattice
lay. What the closed form leaves is a small residual angle: the VAE's own rotational
latent or, where the truth is told, learnt from that. The decoder draws intensity as a
function of position, turned by that angle.

References
----------
Kalinin et al., Sci. Adv. 7, eabd5084 (2021): rVAE with a prior of 0.1 rad on the angle.
Bepler et al., NeurIPS 2019: decoder over coordinates.
Tancik et al., NeurIPS 2020: random waves, by which such a decoder can draw atoms.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from inference.harmonics import Rings

HIDDEN = 128
ROTATION_PRIOR_RAD = 0.1
SYMMETRY = 3
REACH = 2.0
"""The outermost ring's radius in the decoder's own unit of length."""
WAVES = 64
WAVE_SD = 6.0
"""Of each component of a wave vector, rad per the decoder's unit of length: about one
over the radius of an atom as the maps show it."""
DRAWN_NM = 0.04
"""Pixel of the pictures that the decoder draws."""
POLAR_ANGLES = 24
"""Points on each ring at which the decoder is compared with the sub-image."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """What the encoder says of a batch."""

    angle: Tensor
    """(B,) closed-form orientation, rad."""
    residual: Tensor
    """(B,) mean of the residual angle, rad."""
    residual_log_sd: Tensor
    content: Tensor
    """(B, z) means of the content latents."""
    content_log_sd: Tensor
    disorder: Tensor
    """(B,) square root of what the crystallinity lacks to 1, 0..1."""
    disorder_log_sd: Tensor
    canonical: Tensor
    """(B, 2F) harmonics turned back by the closed-form orientation: all real parts,
    then all imaginary ones."""


class Encoder(nn.Module):
    """Harmonics of a sub-image → orientation, order and content."""

    def __init__(self, rings: Rings, latents: int = 2) -> None:
        super().__init__()
        orders = torch.tensor([order for _, order in rings.features])
        # Products with zeros and ones: to pick columns takes ONNX Runtime longer.
        order = torch.arange(int(orders.max()) + 1)
        self.register_buffer("spread", (order[:, None] == orders).float())
        threes = torch.nonzero(orders == SYMMETRY)
        self.register_buffer("threes", torch.eye(len(orders))[threes.flatten()])
        self.register_buffer("ones", (orders == 1).float())
        count = len(rings.features)
        self.register_buffer("scale", torch.ones(2 * count))
        # Start: only the ring of the three neighbours counts.
        radii = torch.tensor(rings.radii_nm)[
            [ring for ring, order in rings.features if order == SYMMETRY]
        ]
        start = torch.exp(-0.5 * ((radii - 0.142) / 0.03) ** 2)
        self.ring_weight = nn.Parameter(start)
        self.body = nn.Sequential(
            nn.Linear(2 * count, HIDDEN),
            nn.Tanh(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.Tanh(),
        )
        self.residual = nn.Linear(HIDDEN, 2)
        self.content = nn.Linear(HIDDEN, 2 * latents)
        self.order = nn.Linear(HIDDEN, 2)

    def orientation(self, real: Tensor, imaginary: Tensor) -> Tensor:
        """(B,) angle of the lattice in ± π from (B, F) parts of harmonics.

        The lattice fixes it up to thirds of a turn, which are all the same to a whole
        sheet. Near an edge they are not: of the three the one nearest to the side
        with more atoms is taken, so that turning the sub-image turns the frame of
        reference, whatever the angle.
        """
        pointers = torch.stack([self.ring_weight @ self.threes, self.ones], dim=1)
        phase = -torch.atan2(imaginary @ pointers, real @ pointers)
        lattice, heavy = phase[:, 0] / SYMMETRY, phase[:, 1]
        period = 2 * math.pi / SYMMETRY
        return lattice + period * torch.round((heavy - lattice) / period)

    def forward(self, harmonics: Tensor) -> Posterior:
        """The posterior for (B, F, 2) harmonics, real and imaginary parts last."""
        real, imaginary = harmonics.unbind(-1)
        angle = self.orientation(real, imaginary)
        canonical = turned_back(real, imaginary, angle, self.spread)
        hidden = self.body(canonical * self.scale)
        residual, residual_log_sd = self.residual(hidden).chunk(2, dim=1)
        content, content_log_sd = self.content(hidden).chunk(2, dim=1)
        disorder, disorder_log_sd = self.order(hidden).chunk(2, dim=1)
        return Posterior(
            angle=angle,
            residual=0.5 * torch.tanh(residual[:, 0]),
            residual_log_sd=residual_log_sd[:, 0],
            content=content,
            content_log_sd=content_log_sd,
            disorder=torch.sigmoid(disorder[:, 0]),
            disorder_log_sd=disorder_log_sd[:, 0],
            canonical=canonical,
        )


def turned_back(
    real: Tensor, imaginary: Tensor, angle: Tensor, spread: Tensor
) -> Tensor:
    """Harmonics (B, F) of sub-images turned clockwise by `angle` (B,).

    Parameters
    ----------
    spread
        (orders, F): 1 where a harmonic is of an order; sines cost more than this.

    Returns
    -------
    (B, 2F): all real parts, then all imaginary ones.
    """
    phase = angle[:, None] * torch.arange(len(spread))
    cos, sin = torch.cos(phase) @ spread, torch.sin(phase) @ spread
    return torch.cat(
        [real * cos - imaginary * sin, real * sin + imaginary * cos], dim=1
    )


def random_waves() -> Tensor:
    """(2, WAVES) wave vectors, drawn by torch's own generator."""
    return WAVE_SD * torch.randn(2, WAVES)


class Decoder(nn.Module):
    """Content latents and a position → intensity of the canonical sub-image there.

    A network of bare coordinates is slow to learn what changes over short distances;
    it is given cosines and sines of `waves` as well.
    """

    def __init__(self, latents: int = 2, waves: Tensor | None = None) -> None:
        super().__init__()
        waves = torch.zeros(2, 0) if waves is None else waves
        self.register_buffer("waves", waves)
        self.from_position = nn.Linear(2 + 2 * waves.shape[1], HIDDEN)
        self.from_content = nn.Linear(latents, HIDDEN, bias=False)
        self.body = nn.Sequential(
            nn.Tanh(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.Tanh(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.Tanh(),
            nn.Linear(HIDDEN, 1),
        )

    def forward(self, content: Tensor, position: Tensor) -> Tensor:
        """(B, P) intensities for content (B, z) and positions (B, P, 2)."""
        phase = position @ self.waves
        place = torch.cat([position, torch.cos(phase), torch.sin(phase)], dim=-1)
        mixed = self.from_position(place) + self.from_content(content)[:, None]
        intensity: Tensor = self.body(mixed).squeeze(-1)
        return intensity


class PolarGrid(nn.Module):
    """The points of the rings, and what the harmonics say the intensity is there."""

    def __init__(self, rings: Rings) -> None:
        super().__init__()
        theta = torch.arange(POLAR_ANGLES) * (2 * math.pi / POLAR_ANGLES)
        radii = torch.tensor(rings.radii_nm)
        scaled = radii / radii.max() * REACH
        points = torch.stack(
            [
                scaled[:, None] * torch.cos(theta),
                scaled[:, None] * torch.sin(theta),
            ],
            dim=-1,
        )
        self.register_buffer("points", points.flatten(0, 1).float())
        area = (radii / radii.sum())[:, None].expand(-1, POLAR_ANGLES) / POLAR_ANGLES
        self.register_buffer("area", area.flatten().float())
        self.register_buffer("inverse", torch.from_numpy(_inverse(rings)))

    def intensities(self, canonical: Tensor) -> Tensor:
        """(B, P) intensities from (B, 2F) harmonics, see `Posterior`."""
        values: Tensor = canonical @ self.inverse
        return values

    def turned(self, angle: Tensor) -> Tensor:
        """(B, P, 2) points as seen from a frame turned counter-clockwise by `angle`."""
        cos, sin = torch.cos(angle), torch.sin(angle)
        x, y = self.points[:, 0], self.points[:, 1]
        return torch.stack(
            [
                x * cos[:, None] + y * sin[:, None],
                y * cos[:, None] - x * sin[:, None],
            ],
            dim=-1,
        )


def _inverse(rings: Rings) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    """(2F, P): the sum over orders that turns harmonics back into intensities."""
    theta = np.arange(POLAR_ANGLES) * (2 * np.pi / POLAR_ANGLES)
    matrix = np.zeros((2, len(rings.features), len(rings.radii_nm), POLAR_ANGLES))
    for row, (ring, order) in enumerate(rings.features):
        weight = 1 if order == 0 else 2
        matrix[0, row, ring] = weight * np.cos(order * theta)
        matrix[1, row, ring] = -weight * np.sin(order * theta)
    flat = matrix.reshape(2 * len(rings.features), -1)
    return flat.astype(np.float32)


def kl_content(content: Tensor, log_sd: Tensor) -> Tensor:
    """KL from N(content, sd) to N(0, 1), nats per sub-image (B,)."""
    return 0.5 * (content**2 + torch.exp(2 * log_sd) - 1 - 2 * log_sd).sum(dim=1)


def kl_residual(residual: Tensor, log_sd: Tensor) -> Tensor:
    """KL from N(residual, sd) to N(0, 0.1 rad), nats per sub-image (B,)."""
    ratio = (residual**2 + torch.exp(2 * log_sd)) / ROTATION_PRIOR_RAD**2
    return 0.5 * (ratio - 1) - log_sd + math.log(ROTATION_PRIOR_RAD)


class Served(nn.Module):
    """The encoder as it serves.

    (N, 2F) harmonics → angle (N,), latents (N, 1 + z), sigma (N, 2 + z).
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, harmonics: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Angle in rad, ± π/3; crystallinity and content; how sure all of them are."""
        posterior = self.encoder(harmonics.unflatten(1, (-1, 2)))
        period = 2 * math.pi / SYMMETRY
        angle = posterior.angle + posterior.residual
        wrapped = angle - period * torch.round(angle / period)
        order = 1 - posterior.disorder[:, None] ** 2
        latents = torch.cat([order, posterior.content], dim=1)
        sigma = [
            torch.exp(posterior.residual_log_sd)[:, None],
            order_sd(posterior)[:, None],
            torch.exp(posterior.content_log_sd),
        ]
        return wrapped, latents, torch.cat(sigma, dim=1)


def order_sd(posterior: Posterior) -> Tensor:
    """(B,) standard deviation of the crystallinity 1 - d², of a Gaussian disorder d."""
    variance = torch.exp(2 * posterior.disorder_log_sd)
    return torch.sqrt(4 * posterior.disorder**2 * variance + 2 * variance**2)


class Drawn(nn.Module):
    """The decoder as it serves: content (N, z) → images (N, side, side) at angle 0."""

    def __init__(self, decoder: Decoder, rings: Rings) -> None:
        super().__init__()
        self.decoder = decoder
        reach_px = math.ceil(max(rings.radii_nm) / DRAWN_NM)
        self.side_px = 2 * reach_px + 1
        axis = torch.arange(-reach_px, reach_px + 1) * DRAWN_NM
        up, right = torch.meshgrid(-axis, axis, indexing="ij")
        place = torch.stack([right, up], dim=-1).flatten(0, 1)  # (side², 2)
        self.register_buffer("place", place * (REACH / max(rings.radii_nm)))
        self.register_buffer("disc", (place.norm(dim=1) <= max(rings.radii_nm)).float())

    def forward(self, content: Tensor) -> Tensor:
        """Intensities; 0 beyond the outermost ring."""
        drawn = self.decoder(content, self.place[None]) * self.disc
        images: Tensor = drawn.unflatten(1, (self.side_px, self.side_px))
        return images
