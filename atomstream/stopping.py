"""Ctrl-C and SIGTERM, which end a command in good order."""

import signal
import sys
import time
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM)
PATIENCE_S = 15.0
"""What a command may take to end once it was told to."""


class Stop:
    """What a command does with these signals: it exits, with 0, and once.

    A second one would break into what the first lets end in good order.
    """

    def __init__(self) -> None:
        self._told_s: float | None = None

    @property
    def was_told(self) -> bool:
        """Whether one came: some code swallows what is raised in it."""
        return self._told_s is not None

    def note(self) -> None:
        """Somebody else has taken one to heart: it is not news to this command."""
        self._told_s = time.monotonic()

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        """Exit, unless that is under way."""
        now_s = time.monotonic()
        if self._told_s is None or now_s - self._told_s > PATIENCE_S:
            # Where the first was lost a later one is needed.
            self._told_s = self._told_s or now_s
            sys.exit(0)


def stop_by_signals() -> None:
    """From now on Ctrl-C and SIGTERM end this command."""
    stop = Stop()
    for number in STOPPING:
        signal.signal(number, stop)


def was_stopped() -> bool:
    """Whether this command was told to end, and has not."""
    handlers = (signal.getsignal(number) for number in STOPPING)
    return any(isinstance(each, Stop) and each.was_told for each in handlers)


def ignore_signals() -> None:
    """Nothing is left to be stopped."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
