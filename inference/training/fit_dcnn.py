"""Training of the segmentation network on simulated scenes."""

import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from inference.training.dcnn import Dcnn
from inference.training.progress import Progress
from inference.training.scenes import Scene, damaged_sheets, scenes


@dataclass(frozen=True, slots=True)
class DcnnRecipe:
    """Everything that the result depends on."""

    scenes: int = 8000
    scenes_per_movie: int = 100
    """Cut from the stages of one simulated movie."""
    steps: int = 12000
    batch: int = 8
    crop_px: int = 128
    learning_rate: float = 3e-3
    averaging: float = 0.998
    """Decay of the running average of the weights, which is what is shipped."""
    seed: int = 1
    workers: int = 2
    """Processes that simulate scenes."""


def simulate_scenes(recipe: DcnnRecipe, progress: Progress) -> list[Scene]:
    """The training set, simulated by several processes; the same for the same seed."""
    tasks = [
        (recipe.seed, number, recipe.scenes_per_movie)
        for number in range(math.ceil(recipe.scenes / recipe.scenes_per_movie))
    ]
    made: list[Scene] = []
    with ProcessPoolExecutor(recipe.workers) as pool:
        for part in pool.map(_simulate_chunk, tasks):
            made += part
            progress(len(made), recipe.scenes)
    return made[: recipe.scenes]


def _simulate_chunk(task: tuple[int, int, int]) -> list[Scene]:
    seed, number, count = task
    rng = np.random.default_rng([seed, number])
    return list(islice(scenes(damaged_sheets(rng), rng), count))


def fit_dcnn(made: list[Scene], recipe: DcnnRecipe, progress: Progress) -> Dcnn:
    """A network trained with cross-entropy and Adam, on the averaged weights.

    References
    ----------
    Kalinin et al., Sci. Adv. 7, eabd5084 (2021): loss and optimiser.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    network = Dcnn()
    network.to(memory_format=torch.channels_last)
    average = AveragedModel(
        network,
        multi_avg_fn=get_ema_multi_avg_fn(recipe.averaging),
        use_buffers=True,
    )
    optimiser = torch.optim.AdamW(network.parameters(), recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, total_steps=recipe.steps, pct_start=0.1
    )
    for step in range(recipe.steps):
        image, target = draw_batch(made, recipe, rng)
        loss = cross_entropy(network(image), target)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        average.update_parameters(network)
        progress(step + 1, recipe.steps)
    trained: Dcnn = average.module.eval()
    return trained


def draw_batch(
    made: list[Scene], recipe: DcnnRecipe, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Random crops in random orientation: images (B, 1, s, s), targets (B, 3, s, s)."""
    images, targets = [], []
    for index in rng.integers(len(made), size=recipe.batch):
        image, target = _crop(made[index], recipe.crop_px, rng)
        images.append(image)
        targets.append(target)
    return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(targets))


def _crop(
    scene: Scene, size: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    row, col = rng.integers(scene.image.shape[0] - size + 1, size=2)
    window = np.s_[row : row + size, col : col + size]
    atom = scene.atom[window].astype(np.float32)
    silicon = atom * scene.silicon[window]
    layers = np.stack(
        [scene.image[window].astype(np.float32), atom - silicon, silicon, 1 - atom]
    )
    layers = np.rot90(layers, rng.integers(4), axes=(1, 2))
    if rng.random() < 0.5:
        layers = layers[:, ::-1]
    # A frame's holes and dirt shift its scale; a patch alone would not show it.
    image = layers[:1] * rng.uniform(0.75, 1.3) + rng.normal(0, 0.2)
    return image.astype(np.float32), np.ascontiguousarray(layers[1:])


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy in nats per pixel against target probabilities."""
    return -(target * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()
