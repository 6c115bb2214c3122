"""Training of the encoder and its decoder on sub-images."""

from dataclasses import dataclass

import torch
from torch import Tensor

from inference.harmonics import Rings
from inference.training.device import drawing_on
from inference.training.fitting import State
from inference.training.footage import Footage, random_movies
from inference.training.rvae import (
    SYMMETRY,
    Decoder,
    Encoder,
    PolarGrid,
    Posterior,
    kl_content,
    kl_residual,
    random_waves,
)
from inference.training.subimage_set import SubImageSet

DOUBT = 0.1
"""Weight of the standard deviations' own loss against that of what they belong to."""


@dataclass(frozen=True, slots=True)
class RvaeRecipe:
    """Everything that the result depends on."""

    movies: int = 20
    """Simulated movies that the sub-images come from."""
    latents: int = 2
    steps: int = 5000
    batch: int = 256
    points: int = 32
    """Points of each sub-image that the decoder draws in a step."""
    learning_rate: float = 2e-3
    beta: float = 0.2
    """Weight of the latents' KL; 1 lets one of two content latents die."""
    pixel_sd: float = 0.1
    """Standard deviation of a pixel that the decoder is not blamed for."""
    pixels: float = 50.0
    """Independent pixels in a sub-image: its area over that of an atom's blob."""
    order_weight: float = 200.0
    """Weight of the supervised order against the ELBO."""
    angle_weight: float = 20.0
    """Weight of the supervised orientation against the ELBO; with none the residual
    angle is a latent, with a KL of its own."""
    seed: int = 1

    @property
    def footage(self) -> Footage:
        """What it sees: every orientation, dose and stage of damage."""
        return random_movies(self.movies)


@dataclass(frozen=True, slots=True)
class Rvae:
    """Both halves, trained."""

    encoder: Encoder
    decoder: Decoder


class RvaeFit:
    """Encoder and decoder trained on the ELBO, with the known order as a guide.

    The simulation knows how ordered the surroundings of each atom are; telling the
    encoder pins what `crystallinity` means, which in an unsupervised VAE is an
    accident of the run.
    """

    def __init__(
        self, data: SubImageSet, rings: Rings, recipe: RvaeRecipe, device: str = "cpu"
    ) -> None:
        torch.manual_seed(recipe.seed)
        self._recipe, self._device = recipe, device
        self._generator = torch.Generator(device).manual_seed(recipe.seed)
        decoder = Decoder(recipe.latents, random_waves())
        self._model = Rvae(Encoder(rings, recipe.latents), decoder)
        self._harmonics = torch.from_numpy(data.harmonics).to(device)
        self._order = torch.from_numpy(data.crystallinity).to(device)
        self._angle = torch.from_numpy(data.angle_rad).to(device)
        self._grid = PolarGrid(rings).to(device)
        for network in (self._model.encoder, self._model.decoder):
            network.to(device)
        power = self._harmonics.pow(2).sum(-1).mean(0)
        self._model.encoder.scale.copy_(1 / power.sqrt().repeat(2))
        self._optimiser = torch.optim.Adam(
            [*self._model.encoder.parameters(), *self._model.decoder.parameters()],
            recipe.learning_rate,
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser,
            recipe.learning_rate,
            total_steps=recipe.steps,
            pct_start=0.1,
        )

    def step(self) -> None:
        """Draw one batch and improve both networks by it."""
        with drawing_on(self._device):
            loss = self._loss()
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()
        self._schedule.step()

    def _loss(self) -> Tensor:
        recipe, model = self._recipe, self._model
        rows = torch.randint(
            len(self._order), (recipe.batch,), generator=self._generator
        )
        posterior = model.encoder(self._harmonics[rows])
        loss = negative_elbo(
            posterior, model.decoder, self._grid, recipe, self._generator
        )
        if recipe.order_weight:
            off = order_error(posterior, self._order[rows])
            loss = loss + recipe.order_weight * off
        if recipe.angle_weight:
            # Not times zero: an atom without neighbours has no angle at all.
            off = angle_error(posterior, self._angle[rows])
            loss = loss + recipe.angle_weight * off
        return loss

    @property
    def trained(self) -> Rvae:
        """Both halves, on the CPU, as they are to serve."""
        return Rvae(self._model.encoder.cpu().eval(), self._model.decoder.cpu().eval())

    def state_dict(self) -> State:
        """Both networks, optimiser, schedule, and where the random numbers are."""
        return {
            "encoder": self._model.encoder.state_dict(),
            "decoder": self._model.decoder.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "generator": self._generator.get_state(),
        }

    def load_state_dict(self, state: State) -> None:
        """Be where another fit of the same sub-images and recipe was."""
        self._model.encoder.load_state_dict(state["encoder"])
        self._model.decoder.load_state_dict(state["decoder"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._generator.set_state(state["generator"])


def negative_elbo(
    posterior: Posterior,
    decoder: Decoder,
    grid: PolarGrid,
    recipe: RvaeRecipe,
    generator: torch.Generator,
) -> Tensor:
    """Mean over the batch of error and KL terms, in nats per sub-image."""
    content = _sample(posterior.content, posterior.content_log_sd, generator)
    residual = _sample(posterior.residual, posterior.residual_log_sd, generator)
    # A few random points a step estimate the error without bias at a fraction of the
    # cost, which is all the decoder's.
    points = torch.randperm(len(grid.area), generator=generator)[: recipe.points]
    told = recipe.angle_weight > 0
    if told:
        # Where the truth teaches the angle, a picture's error would only disturb it.
        residual = residual.detach()
    drawn = decoder(content, grid.turned(residual)[:, points])
    target = grid.intensities(posterior.canonical)[:, points].detach()
    area = grid.area[points] * (len(grid.area) / recipe.points)
    squared = ((drawn - target) ** 2 * area).sum(dim=1)
    error = 0.5 * recipe.pixels * squared / recipe.pixel_sd**2
    kl = kl_content(posterior.content, posterior.content_log_sd)
    if not told:
        kl = kl + kl_residual(posterior.residual, posterior.residual_log_sd)
    return (error + recipe.beta * kl).mean()


def order_error(posterior: Posterior, order: Tensor) -> Tensor:
    """Mean squared error of the disorder, and how well its own doubt covers it.

    Its square root, because most atoms are in the bulk, and there the little that is
    missing to 1 is all that tells one place from another.
    """
    off = posterior.disorder - torch.sqrt(1 - order)
    return (off**2).mean() + DOUBT * doubt(off, posterior.disorder_log_sd)


def angle_error(posterior: Posterior, angle: Tensor) -> Tensor:
    """How far orientations are off, 1 - cos(3 Δ), and how their doubt covers it."""
    off = SYMMETRY * (posterior.angle + posterior.residual - angle)
    wrapped = torch.atan2(torch.sin(off), torch.cos(off)) / SYMMETRY
    covered = doubt(wrapped, posterior.residual_log_sd)
    return (1 - torch.cos(off)).mean() + DOUBT * covered


def doubt(off: Tensor, log_sd: Tensor) -> Tensor:
    """Mean negative log-likelihood of errors, which are taken as they are.

    Only the standard deviation learns from it: else the mean would be left wrong
    where it is easier to be unsure.
    """
    return (log_sd + 0.5 * off.detach() ** 2 * torch.exp(-2 * log_sd)).mean()


def _sample(mean: Tensor, log_sd: Tensor, generator: torch.Generator) -> Tensor:
    noise = torch.randn(mean.shape, generator=generator)
    return mean + torch.exp(log_sd) * noise
