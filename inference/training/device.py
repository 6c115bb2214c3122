"""Where tensors live: the CPU, or a CUDA device where there is one."""

from contextlib import AbstractContextManager, nullcontext

import torch

from streamer.errors import SettingsError


def device_for(wanted: str) -> str:
    """The device to train on, "cpu" or "cuda".

    Parameters
    ----------
    wanted
        One of them, or "auto": CUDA if there is one, else the CPU.

    Raises
    ------
    SettingsError
        CUDA was asked for, and there is none.
    """
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise SettingsError(
            "no CUDA device that torch can use is here; "
            "leave --device out to train on the CPU"
        )
    return "cuda" if there and wanted != "cpu" else "cpu"


def drawing_on(device: str) -> AbstractContextManager[object]:
    """Block in which torch makes new tensors there, as a generator there demands."""
    return nullcontext() if device == "cpu" else torch.device(device)
