"""A network built around weights that are there, and only if they fit it exactly."""

from collections.abc import Callable

import torch
from torch import nn

from inference.training.atomai.networks import MISFIT, Weights
from streamer.errors import ModelError

COUNTER = "num_batches_tracked"
"""Of batch normalisation; of no use to a network that serves, and not in old files."""


def filled[M: nn.Module](build: Callable[[], M], weights: Weights) -> M:
    """The network that `build` makes, with these weights, ready to serve.

    It is built without memory of its own, so that weights that lie about how large
    their network is cost nothing.

    Raises
    ------
    ModelError
        A weight is missing, is of another shape, or has no place in the network.
    """
    with torch.device("meta"):
        network = build()
    state = {
        name: torch.from_numpy(array)
        for name, array in weights.items()
        if not name.endswith(COUNTER)
    }
    wanted = {
        name: tensor.shape
        for name, tensor in network.state_dict().items()
        if not name.endswith(COUNTER)
    }
    for name in sorted(wanted.keys() | state.keys()):
        if name not in wanted or name not in state:
            problem = "is missing" if name in wanted else "has no place in it"
            raise ModelError(f"{MISFIT}: {name} {problem}")
        if wanted[name] != state[name].shape:
            raise ModelError(
                f"{MISFIT}: {name} is of shape "
                f"{tuple(state[name].shape)}, expected {tuple(wanted[name])}"
            )
    counters = network.state_dict().keys() - wanted.keys()
    state |= {name: torch.zeros((), dtype=torch.int64) for name in counters}
    network.load_state_dict(state, assign=True)
    network.eval()
    return network
