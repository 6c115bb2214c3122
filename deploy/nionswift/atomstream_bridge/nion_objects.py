"""What of Nion Swift's objects is used, so that nothing of Nion's need be imported."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

NEEDED = "nionswift-instrumentation 22.0 or newer is needed"
"""What is said to an operator whose Nion Swift has no such objects."""


class Calibration(Protocol):
    """Of one axis."""

    offset: float
    scale: float
    units: str


class DataAndMetadata(Protocol):
    """An image that was delivered; its array is written to again."""

    @property
    def data(self) -> NDArray[np.generic]:
        """The image itself, not a copy."""

    @property
    def data_shape(self) -> Sequence[int]:
        """Of the image."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """A copy, made anew each time."""

    @property
    def dimensional_calibrations(self) -> Sequence[Calibration]:
        """One for each axis: y, x."""

    @property
    def timestamp(self) -> datetime:
        """When it was delivered: UTC, and does not say so."""


class DataChannelEventArgs(Protocol):
    """Which channel has something new."""

    channel_id: str | None
    data_channel_id: str | None
    name: str | None
    state: str | None


class Listening(Protocol):
    """Keeps one listening; must be held."""

    def close(self) -> None:
        """Listen no more."""


class Event(Protocol):
    """Something that happens now and then."""

    def listen(self, listener: Callable[..., None], /) -> Listening:
        """Have `listener` called, in the thread where it happens."""


class HardwareSource(Protocol):
    """A detector or a scan."""

    hardware_source_id: str
    display_name: str
