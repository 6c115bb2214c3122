"""Images that lie in a file one after another, uncompressed."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.errors import StackError


class Seekable(Protocol):
    """What is needed of an open file."""

    def seek(self, offset: int, /) -> object:
        """Go to a byte."""

    def read(self, size: int, /) -> bytes:
        """Give so many bytes, fewer at the end."""


def flat_images(
    file: Seekable,
    offset: int,
    shape: tuple[int, int],
    dtype: np.dtype[np.generic],
    name: str,
) -> Callable[[int], NDArray[np.generic]]:
    """Reader of image number i, which starts i images after `offset`.

    They are read and not mapped into memory: a mapped file that another program
    shortens kills the process.
    """
    size = shape[0] * shape[1] * dtype.itemsize

    def image(index: int) -> NDArray[np.generic]:
        file.seek(offset + index * size)
        data = file.read(size)
        if len(data) != size:
            raise StackError(f"{name} ends in the middle of frame {index}")
        return np.frombuffer(data, dtype).reshape(shape)

    return image
