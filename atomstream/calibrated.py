"""Stacks whose pixel size is known: nothing can be found in others."""

from pathlib import Path

from streamer.errors import SettingsError
from streamer.stacks import open_stack
from streamer.stacks.stack import Stack


def open_calibrated(
    path: Path, channel: str | None, pixel_size_nm: float | None
) -> Stack:
    """The stack, with its own calibration or with `pixel_size_nm` instead.

    Raises
    ------
    StackError
        It cannot be read.
    SettingsError
        It has no calibration and none was given.
    """
    stack = open_stack(path, channel=channel, pixel_size_nm=pixel_size_nm)
    if stack.pixel_size_nm is None:
        stack.close()
        raise SettingsError(
            f"{path} does not say how large its pixels are; give --pixel-size NM, "
            "for instance --pixel-size 0.0156 for 1024 pixels over 16 nm"
        )
    return stack
