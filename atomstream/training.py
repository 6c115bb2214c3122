"""Trainings as the command line runs them: followed on a terminal, stopped at will."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from atomstream import extras

NEEDED = ("torch", "onnx", "onnxscript", "skimage", "sklearn")


def check_extra(what: str = "training") -> None:
    """Refuse to make a model where what that needs is not installed.

    Parameters
    ----------
    what
        What was to be done, as the refusal names it.

    Raises
    ------
    SettingsError
        It is not.
    """
    extras.check_extra(what, "train", NEEDED)


@contextmanager
def held_stop() -> Iterator[Callable[[], bool]]:
    """Block in which Ctrl-C and SIGTERM are only noted; gives what tells of them."""
    noted: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        noted.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield lambda: bool(noted)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if noted:  # too late for the block to act on it
        sys.exit(0)
