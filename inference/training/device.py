"""Where tensors live: the CPU, or a CUDA device where there is one."""

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
