"""A network that notes how long it runs and how much it is given."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.runtime import onnxruntime


class TimedSession:
    """In the place of an ONNX Runtime session, of which it does what a model needs."""

    def __init__(
        self, session: onnxruntime.InferenceSession, clock: Callable[[], float]
    ) -> None:
        self._session = session
        self._clock = clock
        self.seconds = 0.0
        """In the network, all calls together."""
        self.values = 0
        """Numbers that it was given: pixels, for the network that sees atoms."""

    def run(
        self, names: list[str] | None, feeds: Mapping[str, NDArray[np.float32]]
    ) -> list[Any]:
        """As the session's own `run`."""
        start = self._clock()
        outputs: list[Any] = self._session.run(names, dict(feeds))
        self.seconds += self._clock() - start
        self.values += sum(feed.size for feed in feeds.values())
        return outputs
