"""Training of the segmentation network on simulated scenes."""

import json
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from inference.training.dcnn import STRIDE_PX, Dcnn
from inference.training.fitting import State
from inference.training.scenes import Scene


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


class DcnnFit:
    """A network trained with cross-entropy and AdamW, on the averaged weights.

    References
    ----------
    Kalinin et al., Sci. Adv. 7, eabd5084 (2021): loss and optimiser.
    """

    def __init__(
        self, made: list[Scene], recipe: DcnnRecipe, device: str = "cpu"
    ) -> None:
        torch.manual_seed(recipe.seed)
        self._made, self._recipe, self._device = made, recipe, device
        self._rng = np.random.default_rng(recipe.seed)
        self._network = Dcnn()
        self._network.to(device, memory_format=torch.channels_last)
        self._average = AveragedModel(
            self._network,
            multi_avg_fn=get_ema_multi_avg_fn(recipe.averaging),
            use_buffers=True,
        )
        self._optimiser = torch.optim.AdamW(
            self._network.parameters(), recipe.learning_rate
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser,
            recipe.learning_rate,
            total_steps=recipe.steps,
            pct_start=0.1,
        )

    def step(self) -> None:
        """Draw one batch and improve the network by it."""
        image, target = draw_batch(self._made, self._recipe, self._rng)
        logits = self._network(image.to(self._device))
        loss = cross_entropy(logits, target.to(self._device))
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()
        self._schedule.step()
        self._average.update_parameters(self._network)

    @property
    def trained(self) -> Dcnn:
        """The averaged network, on the CPU, as it is to serve."""
        network: Dcnn = self._average.module.cpu().eval()
        return network

    def state_dict(self) -> State:
        """Both networks, optimiser, schedule, and where the random numbers are."""
        return {
            "network": self._network.state_dict(),
            "average": self._average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "rng": json.dumps(self._rng.bit_generator.state),
        }

    def load_state_dict(self, state: State) -> None:
        """Be where another fit of the same scenes and recipe was."""
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._rng.bit_generator.state = json.loads(state["rng"])


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
    layers[:1] = layers[:1] * rng.uniform(0.75, 1.3) + rng.normal(0, 0.2)
    if rng.random() < 0.5:
        layers = blank_border(layers, rng.integers(STRIDE_PX, size=2))
    return np.ascontiguousarray(layers[:1]), np.ascontiguousarray(layers[1:])


def blank_border(
    layers: NDArray[np.float32], below_right: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Image and targets, (4, s, s), as if the frame ended before the network's input.

    In service a frame is filled up with zeros to a multiple of `STRIDE_PX`. What the
    network says there is cut off, so a target of 0 for every class asks for nothing.
    """
    blank = layers.copy()
    below, right = blank.shape[1:] - np.asarray(below_right)
    blank[:, below:] = 0
    blank[:, :, right:] = 0
    return blank


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy in nats per pixel against target probabilities."""
    return -(target * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()
