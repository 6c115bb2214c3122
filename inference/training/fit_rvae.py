"""Training of the encoder and its decoder on sub-images."""

from dataclasses import dataclass

import torch
from torch import Tensor

from inference.harmonics import Rings
from inference.training.progress import Progress
from inference.training.rvae import (
    SYMMETRY,
    Decoder,
    Encoder,
    PolarGrid,
    Posterior,
    kl_content,
    kl_residual,
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
    """Weight of the content's KL; 1 lets one of two latents die."""
    pixel_sd: float = 0.1
    """Standard deviation of a pixel that the decoder is not blamed for."""
    pixels: float = 50.0
    """Independent pixels in a sub-image: its area over that of an atom's blob."""
    order_weight: float = 200.0
    """Weight of the supervised order against the ELBO."""
    angle_weight: float = 20.0
    """Weight of the supervised orientation against the ELBO."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Rvae:
    """Both halves, trained."""

    encoder: Encoder
    decoder: Decoder


def fit_rvae(
    data: SubImageSet, rings: Rings, recipe: RvaeRecipe, progress: Progress
) -> Rvae:
    """Encoder and decoder trained on the ELBO, with the known order as a guide.

    The simulation knows how ordered the surroundings of each atom are; telling the
    encoder pins what `crystallinity` means, which in an unsupervised VAE is an
    accident of the run.
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    torch.manual_seed(recipe.seed)
    model = Rvae(Encoder(rings, recipe.latents), Decoder(recipe.latents))
    grid = PolarGrid(rings)
    harmonics = torch.from_numpy(data.harmonics)
    model.encoder.scale.copy_(1 / harmonics.pow(2).sum(-1).mean(0).sqrt())
    order = torch.from_numpy(data.crystallinity)
    angle = torch.from_numpy(data.angle_rad)
    parameters = [*model.encoder.parameters(), *model.decoder.parameters()]
    optimiser = torch.optim.Adam(parameters, recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, total_steps=recipe.steps, pct_start=0.1
    )
    for step in range(recipe.steps):
        rows = torch.randint(len(order), (recipe.batch,), generator=generator)
        posterior = model.encoder(harmonics[rows])
        loss = negative_elbo(posterior, model.decoder, grid, recipe, generator)
        loss = loss + recipe.order_weight * order_error(posterior, order[rows])
        loss = loss + recipe.angle_weight * angle_error(posterior, angle[rows])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        progress(step + 1, recipe.steps)
    return Rvae(model.encoder.eval(), model.decoder.eval())


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
    drawn = decoder(content, grid.turned(residual)[:, points])
    target = grid.intensities(posterior.canonical)[:, points].detach()
    area = grid.area[points] * (len(grid.area) / recipe.points)
    squared = ((drawn - target) ** 2 * area).sum(dim=1)
    error = 0.5 * recipe.pixels * squared / recipe.pixel_sd**2
    kl = recipe.beta * kl_content(posterior.content, posterior.content_log_sd)
    kl = kl + recipe.beta * kl_residual(posterior.residual, posterior.residual_log_sd)
    return (error + kl).mean()


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
