"""What a model's decoder draws over the plane of two of its latents."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.analysis import ModelId
from streamer.errors import AtomstreamError, ModelError

log = logging.getLogger(__name__)

REMEMBERED = 8
"""Models of which the drawing is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Manifold:
    """Images in rows and columns, one beside the other, as one picture."""

    latents: tuple[str, str]
    """Along x and along y."""
    image: NDArray[np.uint8]
    """(rows, cols), the first row at the bottom."""
    x: tuple[float, float]
    """From its left to its right edge, in units of the first latent. An image's middle
    lies at the latents that it is drawn for."""
    y: tuple[float, float]
    """From its lower to its upper edge, in units of the second latent."""


type DrawManifold = Callable[[ModelId], Manifold]
"""Draws what a model's latents mean; raises `ModelError`, with the reason, if not."""


def no_decoder(model: ModelId) -> Manifold:
    """Where nobody said how to find the files of a model."""
    raise ModelError(f"the files of {model.name} are not at hand")


class Manifolds:
    """Draws each model once, on a thread of its own, and remembers the last few.

    Parameters
    ----------
    draw
        May take long.
    tell
        Called, on that thread, whenever there is one more.
    """

    def __init__(self, draw: DrawManifold, tell: Callable[[], None]) -> None:
        self._draw = draw
        self._tell = tell
        self._drawn: dict[str, Manifold | str] = {}
        self._busy = False
        self._lock = threading.Lock()

    def of(self, model: ModelId) -> Manifold | str | None:
        """The drawing, or why there is none; None while it is not known yet."""
        with self._lock:
            known = self._drawn.get(model.sha256)
            if known is not None or self._busy:
                return known  # one at a time: who waits is told when that one is done
            self._busy = True
        threading.Thread(
            target=self._work, args=(model,), name="manifold", daemon=True
        ).start()
        return None

    def _work(self, model: ModelId) -> None:
        drawn = drawn_or_reason(self._draw, model)
        with self._lock:
            self._drawn[model.sha256] = drawn
            while len(self._drawn) > REMEMBERED:
                del self._drawn[next(iter(self._drawn))]
            self._busy = False
        self._tell()


def drawn_or_reason(draw: DrawManifold, model: ModelId) -> Manifold | str:
    """The drawing, or in words why there is none."""
    try:
        return draw(model)
    except AtomstreamError as error:
        return str(error)
    except Exception as error:
        log.exception("the decoder of %s cannot be drawn", model.name)
        return f"{type(error).__name__}: {error}"
