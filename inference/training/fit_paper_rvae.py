"""Training of the paper's rVAE on windows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.paper_methods.window_size import WindowSize
from inference.training.device import drawing_on
from inference.training.footage import Footage, paper_movies
from inference.training.paper_rvae import PaperRvae, RotationLoss, negative_elbo
from inference.training.progress import Progress
from inference.training.window_set import Split, WindowSet, drawn_split


@dataclass(frozen=True, slots=True)
class PaperRvaeRecipe:
    """Everything that the result depends on, besides the windows."""

    loss: RotationLoss = "authors"
    window: WindowSize = "small"
    contrast: float = 3.0
    """What the windows' values, 0..1, are multiplied by before the loss sees them.

    It takes the standard deviation of a pixel as 1. The authors' maps were drawn with
    a loss of 9.5 nats in 576 pixels; of ours, which are softer, the loss would be a
    fraction of that, and no defect would pay for a latent. With this it is alike.
    """
    movies: int = 1
    """Simulated movies that the sub-images come from; the authors had one."""
    frames: int = 50
    """Of each movie."""
    share: float = 0.25
    """Of the sub-images of each frame that are used."""
    test_share: float = 0.25
    """Of those used that are kept from training."""
    steps: int = 8000
    batch: int = 128
    pixels: int = 64
    """Of each window that the decoder draws in a step."""
    learning_rate: float = 1e-3
    """Of Adam, falling to nought over the last quarter. The authors' 1e-4, which does
    not fall, wants as many times the steps."""
    seed: int = 1

    @property
    def footage(self) -> Footage:
        """What it sees."""
        return paper_movies(self.movies, self.frames, self.share)

    def split(self, data: WindowSet) -> Split:
        """Which rows are trained on and which are kept for a test."""
        return drawn_split(len(data), self.test_share, self.seed)

    def rate(self, step: int) -> float:
        """Share of the learning rate after `step` steps."""
        return min(1.0, 4 * (1 - step / self.steps))


class PaperFit:
    """A training under way, which can be kept after any step and taken up again."""

    def __init__(
        self, data: WindowSet, recipe: PaperRvaeRecipe, device: str = "cpu"
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.rvae = PaperRvae(data.windows.shape[1], recipe.contrast)
        self.data, self.recipe, self._device = data, recipe, device
        self.rvae.to(device)
        train = data.windows[recipe.split(data).train]
        self._windows = torch.from_numpy(train).to(device)
        self._optimiser = torch.optim.Adam(self.rvae.parameters(), recipe.learning_rate)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimiser, recipe.rate)
        self._generator = torch.Generator(device).manual_seed(recipe.seed)

    def step(self) -> None:
        """Draw one batch and improve both networks by it."""
        with drawing_on(self._device):
            loss = self._loss()
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()
        self._schedule.step()

    def _loss(self) -> Tensor:
        recipe, generator = self.recipe, self._generator
        rows = torch.randint(len(self._windows), (recipe.batch,), generator=generator)
        pixels = torch.randperm(len(self.rvae.grid), generator=generator)
        return negative_elbo(
            self.rvae,
            self._windows[rows],
            pixels[: recipe.pixels],
            recipe.loss,
            generator,
        )

    @property
    def trained(self) -> PaperRvae:
        """Both networks, on the CPU, as they are to serve."""
        self.rvae.cpu().eval()
        return self.rvae

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, and the data do not give."""
        return {
            "rvae": self.rvae.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "generator": self._generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Be where another fit of the same data and recipe was."""
        self.rvae.load_state_dict(state["rvae"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._generator.set_state(state["generator"])


def fit_paper_rvae(
    data: WindowSet, recipe: PaperRvaeRecipe, progress: Progress
) -> PaperRvae:
    """Both networks, trained on the recipe's part of the windows."""
    fit = PaperFit(data, recipe)
    for step in range(recipe.steps):
        fit.step()
        progress(step + 1, recipe.steps)
    return fit.trained


def held_out_loss(rvae: PaperRvae, data: WindowSet, recipe: PaperRvaeRecipe) -> float:
    """Negative ELBO on the sub-images kept from training, nats per sub-image."""
    return loss_on(rvae, data.windows[recipe.split(data).test], recipe)


def loss_on(
    rvae: PaperRvae, windows: NDArray[np.float32], recipe: PaperRvaeRecipe
) -> float:
    """Negative ELBO of windows (N, side, side), nats per sub-image."""
    generator = torch.Generator().manual_seed(recipe.seed)
    every = torch.arange(len(rvae.grid))
    total = 0.0
    with torch.no_grad():
        for part in torch.from_numpy(windows).split(256):
            mean = negative_elbo(rvae, part, every, recipe.loss, generator)
            total += float(mean) * len(part)
    return total / len(windows)
