"""Where the networks run: what ONNX Runtime is asked for, and what it really uses."""

import os
from collections.abc import Sequence
from enum import StrEnum

from streamer.errors import SettingsError

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
MOST_THREADS = 8
"""More that nobody asked for would hardly make the networks faster."""


class Device(StrEnum):
    """What the networks are to run on."""

    AUTO = "auto"
    """CUDA where it can be had, else the CPU."""
    CPU = "cpu"
    CUDA = "cuda"


def wanted_providers(device: Device, available: Sequence[str]) -> tuple[str, ...]:
    """What to ask ONNX Runtime for, the best first.

    Parameters
    ----------
    available
        Execution providers that the installed ONNX Runtime was built with.

    Raises
    ------
    SettingsError
        CUDA is wanted, and not among them.
    """
    if device is Device.CPU or (device is Device.AUTO and CUDA not in available):
        return (CPU,)
    if CUDA not in available:
        raise SettingsError(
            f"--device cuda: this ONNX Runtime has {', '.join(available)} only; "
            "install the one with CUDA (uv sync --no-group cpu --extra gpu) or leave "
            "--device at auto"
        )
    return (CUDA, CPU)


def check_providers(device: Device, used: Sequence[str]) -> None:
    """Refuse what a network fell back to, once its session has been created.

    Parameters
    ----------
    used
        Execution providers of the session, the best first. ONNX Runtime leaves out
        those that do not work here, and says so only in passing.

    Raises
    ------
    SettingsError
        CUDA is wanted, and is not what is used.
    """
    if device is Device.CUDA and used[0] != CUDA:
        raise SettingsError(
            f"--device cuda: ONNX Runtime fell back to {used[0]}; see that the driver "
            "and the CUDA libraries fit it, or leave --device at auto"
        )


def fallback_in_words(
    device: Device, available: Sequence[str], used: str
) -> str | None:
    """One line about CUDA that was not had, None where nothing was hoped for.

    An ONNX Runtime without CUDA is what the default install has.
    """
    if device is not Device.AUTO or used == CUDA or CUDA not in available:
        return None
    return "the networks run on the CPU: CUDA did not start"


def cores_here() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def default_threads(cores: int) -> int:
    """Threads for the networks that leave the machine usable.

    One core of three or more is left to the receiver, the page and people. Of two
    both are used: the network runs for a fraction of the time between two frames.
    """
    return min(cores, 2) if cores < 3 else min(cores - 1, MOST_THREADS)
