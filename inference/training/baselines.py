"""What the paper's Fig. 5 compares its rVAE with, fitted to the same windows.

References
----------
Kalinin et al., Sci. Adv. 7, eabd5084 (2021), Fig. 5 and its methods.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from torch import Tensor, nn

from inference.paper_methods.card import MethodName
from inference.training.paper_rvae import CONTENT, WindowEncoder
from inference.training.progress import Progress
from inference.training.rvae import HIDDEN, kl_content

type Windows = NDArray[np.float32]
type Embedding = Callable[[Windows], NDArray[np.float32]]
"""(N, side, side) windows → (N, k) latents."""


@dataclass(frozen=True, slots=True)
class BaselineRecipe:
    """Everything that the baselines depend on, besides the windows."""

    steps: int = 1500
    """Of the two that are trained."""
    batch: int = 128
    learning_rate: float = 1e-3
    """Of Adam."""
    components: int = 16
    """Of the Gaussian mixture: as many as the authors took."""
    contrast: float = 3.0
    """Of the windows, for the plain VAE: as for the rVAE."""
    seed: int = 1


class ConvolutionalAutoencoder(nn.Module):
    """32 and 64 filters of 3 x 3 with stride 2, two latents, and the same way back."""

    def __init__(self, side_px: int) -> None:
        super().__init__()
        self.side_px = side_px
        quarter = math.ceil(side_px / 4)
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * quarter**2, CONTENT),
        )
        self.decoder = nn.Sequential(
            nn.Linear(CONTENT, 64 * quarter**2),
            nn.ReLU(),
            nn.Unflatten(1, (64, quarter, quarter)),
            nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 1, 3, stride=2, padding=1, output_padding=1),
        )

    def forward(self, windows: Tensor) -> Tensor:
        """(B, 2) latents of (B, side, side) windows."""
        latents: Tensor = self.encoder(windows[:, None])
        return latents

    def draw(self, latents: Tensor) -> Tensor:
        """(B, side, side) windows of (B, 2) latents."""
        drawn: Tensor = self.decoder(latents)[:, 0, : self.side_px, : self.side_px]
        return drawn

    def loss(self, windows: Tensor, generator: torch.Generator) -> Tensor:
        """Mean squared error of a pixel; nothing is drawn at random."""
        del generator
        return ((self.draw(self(windows)) - windows) ** 2).mean()


class PlainVae(nn.Module):
    """The rVAE's encoder with two latents, and a decoder of all pixels at once."""

    def __init__(self, side_px: int, contrast: float) -> None:
        super().__init__()
        self.encoder = WindowEncoder(side_px, CONTENT, contrast)
        self.decoder = nn.Sequential(
            nn.Linear(CONTENT, HIDDEN),
            nn.Tanh(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.Tanh(),
            nn.Linear(HIDDEN, side_px**2),
        )

    def forward(self, windows: Tensor) -> Tensor:
        """(B, 2) means of the latents of (B, side, side) windows."""
        mean: Tensor = self.encoder(windows)[0]
        return mean

    def draw(self, latents: Tensor) -> Tensor:
        """(B, side, side) windows of (B, 2) latents."""
        side = self.encoder.side_px
        drawn: Tensor = self.decoder(latents) / self.encoder.contrast
        return drawn.unflatten(1, (side, side))

    def loss(self, windows: Tensor, generator: torch.Generator) -> Tensor:
        """Negative ELBO, nats per sub-image."""
        mean, log_sd = self.encoder(windows)
        noise = torch.randn(mean.shape, generator=generator)
        drawn = self.decoder(mean + torch.exp(log_sd) * noise)
        target = self.encoder.contrast * windows.flatten(1)
        error = 0.5 * ((drawn - target) ** 2).sum(dim=1)
        return (error + kl_content(mean, log_sd)).mean()


type Baseline = ConvolutionalAutoencoder | PlainVae


class BaselineFit:
    """The training of one of the two, which can be taken up after any of its steps."""

    def __init__(
        self, network: Baseline, windows: Windows, recipe: BaselineRecipe
    ) -> None:
        self.network = network
        self._windows, self._batch = torch.from_numpy(windows), recipe.batch
        self._generator = torch.Generator().manual_seed(recipe.seed)
        self._optimiser = torch.optim.Adam(network.parameters(), recipe.learning_rate)

    def step(self) -> None:
        """Draw one batch and improve the network by it."""
        count = len(self._windows)
        rows = torch.randint(count, (self._batch,), generator=self._generator)
        loss = self.network.loss(self._windows[rows], self._generator)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, and the windows do not give."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "generator": self._generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Be where another fit of the same windows and recipe was."""
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._generator.set_state(state["generator"])


def untrained(side_px: int, recipe: BaselineRecipe) -> dict[MethodName, Baseline]:
    """Both networks that are trained, by name, for windows of this size."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return {
            "convolutional AE": ConvolutionalAutoencoder(side_px),
            "plain VAE": PlainVae(side_px, recipe.contrast),
        }


def fit_baselines(
    windows: Windows, recipe: BaselineRecipe, progress: Progress
) -> dict[str, Embedding]:
    """All of them, by name, fitted to (N, side, side) windows."""
    flat = windows.reshape(len(windows), -1)
    fits: dict[str, Callable[[], Embedding]] = {
        "PCA": partial(_by_pca, flat),
        "GMM": partial(_by_mixture, flat, recipe),
        **{
            name: partial(_by_training, network, windows, recipe)
            for name, network in untrained(windows.shape[1], recipe).items()
        },
    }
    fitted = {}
    for name, fit in fits.items():
        fitted[name] = fit()
        progress(len(fitted), len(fits))
    return fitted


def _by_pca(flat: Windows) -> Embedding:
    pca = PCA(CONTENT, svd_solver="covariance_eigh").fit(flat)
    return lambda windows: pca.transform(windows.reshape(len(windows), -1))


def _by_mixture(flat: Windows, recipe: BaselineRecipe) -> Embedding:
    """Log-likelihood of a window, and how far it belongs to each component."""
    mixture = GaussianMixture(
        recipe.components,
        covariance_type="diag",
        reg_covar=1e-4,
        random_state=recipe.seed,
    ).fit(flat)

    def embed(windows: Windows) -> NDArray[np.float32]:
        pixels = windows.reshape(len(windows), -1)
        columns = [mixture.score_samples(pixels), mixture.predict_proba(pixels)]
        return np.column_stack(columns).astype(np.float32)

    return embed


def _by_training(
    network: Baseline, windows: Windows, recipe: BaselineRecipe
) -> Embedding:
    fit = BaselineFit(network, windows, recipe)
    for _ in range(recipe.steps):
        fit.step()
    return lambda windows: _in_parts(network.eval(), windows)


def _in_parts(network: nn.Module, windows: Windows) -> NDArray[np.float32]:
    parts = torch.from_numpy(windows).split(4096)
    with torch.no_grad():
        return np.concatenate([network(part).numpy() for part in parts])
