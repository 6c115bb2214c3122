"""AtomAI's VAE and rVAE, rebuilt to hold their weights under their own names.

The encoder's latents are an angle and two shifts (of the rVAE) and then z1, z2 …, a
mean and the logarithm of a standard deviation each. The rVAE's decoder draws intensity
as a function of position and content.

References
----------
github.com/pycroscopy/atomai, of which this follows the architecture, not the code;
Bepler et al., NeurIPS 2019, for the spatial decoder.
"""

import math
import re

import torch
from torch import Tensor, nn
from torch.nn import functional

from inference.training.atomai.networks import SavedVae, Weights, shape_of
from inference.training.atomai.rebuild import filled

ANGLE_PERIOD_RAD = 2 * math.pi / 3
"""A site of graphene looks the same after a third of a turn; AtomAI does not wrap."""


def dense(weights: Weights, name: str, inputs: int) -> tuple[nn.Sequential, int]:
    """Layers of the right sizes, each with a tanh, and the number of their outputs."""
    pattern = re.compile(re.escape(name) + r"\.(\d{1,3})\.weight")
    found = {
        int(match[1]): shape_of(weights, match[0], 2)[0]
        for match in map(pattern.fullmatch, weights)
        if match
    }
    layers: list[nn.Module] = []
    for place in sorted(found):
        layers += [nn.Linear(inputs, found[place]), nn.Tanh()]
        inputs = found[place]
    return nn.Sequential(*layers), inputs


class Encoder(nn.Module):
    """Windows (N, side, side) → means and log standard deviations, (N, latents)."""

    def __init__(self, saved: SavedVae) -> None:
        super().__init__()
        latents = saved.coordinates + saved.content
        self.dense, width = dense(saved.encoder, "dense", saved.side_px**2)
        self.fc11 = nn.Linear(width, latents)
        self.fc12 = nn.Linear(width, latents)
        self.softplus = saved.softplus_out

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Angle and shifts first, if there are any, then content."""
        hidden = self.dense(windows.flatten(1))
        log_sd = self.fc12(hidden)
        if self.softplus:
            log_sd = functional.softplus(log_sd)
        return self.fc11(hidden), log_sd


class Position(nn.Module):
    """Positions (P, 2) and content (N, z) → features (N, P, width)."""

    def __init__(self, content: int, width: int) -> None:
        super().__init__()
        self.fc_coord = nn.Linear(2, width)
        self.fc_latent = nn.Linear(content, width, bias=False)

    def forward(self, positions: Tensor, content: Tensor) -> Tensor:
        """Their sum, linear in both."""
        features: Tensor = self.fc_coord(positions) + self.fc_latent(content)[:, None]
        return features


class SpatialDecoder(nn.Module):
    """Content (N, z) and positions (P, 2) → intensity there, (N, P)."""

    def __init__(self, saved: SavedVae) -> None:
        super().__init__()
        width, _ = shape_of(saved.decoder, "coord_latent.fc_coord.weight", 2)
        self.coord_latent = Position(saved.content, width)
        self.fc_decoder, width = dense(saved.decoder, "fc_decoder", width)
        self.out = nn.Linear(width, 1)
        self.skip = saved.skip

    def forward(self, content: Tensor, positions: Tensor) -> Tensor:
        """Intensities, before any sigmoid."""
        first = self.coord_latent(positions, content)
        hidden = first if self.skip else torch.tanh(first)
        for layer in self.fc_decoder:
            hidden = layer(hidden)
            if self.skip and isinstance(layer, nn.Tanh):
                hidden = hidden + first
        intensity: Tensor = self.out(hidden).squeeze(-1)
        return intensity


class FlatDecoder(nn.Module):
    """Content (N, z) → intensities of the whole window, (N, side²)."""

    def __init__(self, saved: SavedVae) -> None:
        super().__init__()
        self.decoder, width = dense(saved.decoder, "decoder", saved.content)
        self.out = nn.Linear(width, saved.side_px**2)

    def forward(self, content: Tensor, _positions: Tensor) -> Tensor:
        """Intensities, before any sigmoid."""
        intensity: Tensor = self.out(self.decoder(content))
        return intensity


class ServedEncoder(nn.Module):
    """The encoder as it serves: (N, side, side) → angle, latents, sigma.

    Latents are the crystallinity, a copy of one content latent or of its negative, and
    then the content. The shifts are left out: they say where the window was cut.

    Parameters
    ----------
    crystallinity
        1, 2 … for z1, z2 …, or its negative.
    """

    def __init__(self, saved: SavedVae, crystallinity: int) -> None:
        super().__init__()
        self.network = filled(lambda: Encoder(saved), saved.encoder)
        self.coordinates = saved.coordinates
        self.chosen = self.coordinates + abs(crystallinity) - 1
        self.sign = math.copysign(1, crystallinity)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Angle in rad, ± π/3; latents (N, 1 + z); their deviations (N, 2 + z)."""
        mean, log_sd = self.network(windows)
        sd = torch.exp(log_sd)
        # A plain VAE tells no angle.
        nothing = mean[:, 0] * math.nan
        angle, angle_sd = (mean[:, 0], sd[:, 0]) if self.coordinates else (nothing,) * 2
        angle = angle - ANGLE_PERIOD_RAD * torch.round(angle / ANGLE_PERIOD_RAD)
        order = self.sign * mean[:, self.chosen, None]
        order_sd = sd[:, self.chosen, None]
        latents = torch.cat([order, mean[:, self.coordinates :]], dim=1)
        sigma = [angle_sd[:, None], order_sd, sd[:, self.coordinates :]]
        return angle, latents, torch.cat(sigma, dim=1)


class ServedDecoder(nn.Module):
    """The decoder as it serves: content (N, z) → images (N, side, side), at angle 0."""

    def __init__(self, saved: SavedVae) -> None:
        super().__init__()
        build = SpatialDecoder if saved.coordinates else FlatDecoder
        self.network = filled(lambda: build(saved), saved.decoder)
        self.register_buffer("positions", positions(saved.side_px))
        self.side_px = saved.side_px
        self.sigmoid = saved.sigmoid_out

    def forward(self, content: Tensor) -> Tensor:
        """The images."""
        flat = self.network(content, self.positions)
        images = flat.unflatten(1, (self.side_px, self.side_px))
        return torch.sigmoid(images) if self.sigmoid else images


def positions(side_px: int) -> Tensor:
    """(side², 2) positions of a window's pixels: from -1 to 1 down, and to the left.

    AtomAI turns them by the angle, from the first axis to the second, before it draws:
    what is drawn turns the other way, counter-clockwise on the screen.
    """
    down = torch.linspace(-1, 1, side_px)
    left = torch.linspace(1, -1, side_px)
    return torch.cartesian_prod(down, left)
