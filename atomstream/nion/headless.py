"""Nion Swift's own scan, with its simulator as the microscope and without a window.

The one module of the command line that imports Nion's packages, which are an extra.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.errors import SettingsError

MISSING = (
    "Nion's simulator is not installed; install the extra: "
    "uv sync --extra nion, or pip install 'atomstream[nion]'"
)
PACKAGES = ("nion.instrumentation", "nion.usim_device")
INSTRUMENT = "usim_stem_controller"
CLOSING_S = 30.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A frame that the scan is about to begin."""

    shape: tuple[int, int]
    """(rows, cols)."""
    field_nm: float
    """Field of view along the longer side."""


type Sample = Callable[[Wanted], NDArray[np.float32]]
"""What the detector sees of a whole frame; called once for each channel."""


def check_installed() -> None:
    """Refuse to go on without Nion's packages; looks for them, which is quick.

    Raises
    ------
    SettingsError
        They are not installed.
    """
    try:
        found = [find_spec(name) for name in PACKAGES]
    except ModuleNotFoundError:
        found = [None]
    if None in found:
        raise SettingsError(MISSING)


@contextmanager
def headless_scan(sample: Sample) -> Iterator[Any]:
    """Nion's scan hardware source, which scans `sample` as fast as a column would.

    Raises
    ------
    SettingsError
        Nion's packages are not installed.
    """
    check_installed()
    from nion.instrumentation import HardwareSource, scan_base
    from nion.usim_device import InstrumentDevice, ScanDevice
    from nion.utils import Registry

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="atomstream-"))
        # Nion asks for the thread's event loop, which a window would have made.
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        asyncio.set_event_loop(loop)
        stack.callback(asyncio.set_event_loop, None)
        HardwareSource.run()
        stack.callback(HardwareSource.stop)
        scan_base.run(Path(folder))
        stack.callback(scan_base.stop)
        # Without its cameras, which would keep the process from ending.
        instrument = InstrumentDevice.Instrument(
            INSTRUMENT,
            InstrumentDevice.ValueManager(),
            InstrumentDevice.AxisManager(),
            _Generator(sample),
        )
        module = ScanDevice.ScanModule(instrument)
        for component, kinds in (
            (instrument, {"instrument_controller", "stem_controller"}),
            (module, {"scan_module"}),
        ):
            Registry.register_component(component, kinds)
            stack.callback(Registry.unregister_component, component, kinds)
        scan = Registry.get_component("scan_hardware_source")
        stack.callback(scan.abort_playing, sync_timeout=CLOSING_S)
        yield scan


class _Generator:
    """What Nion's simulator asks for the pixels of a frame."""

    stage_size_nm = 1000
    sample_titles = ("atomstream",)
    sample_index = 0

    def __init__(self, sample: Sample) -> None:
        self._sample = sample

    def generate_scan_data(self, instrument: object, parameters: Any) -> Any:  # noqa: ANN401 - Nion's
        """One channel of one frame, (rows, cols)."""
        del instrument
        rows, cols = parameters.size
        return self._sample(Wanted((int(rows), int(cols)), float(parameters.fov_nm)))
