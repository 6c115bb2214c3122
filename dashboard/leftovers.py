"""Memory of pages that were closed, given back to the system."""

import ctypes
import gc
import os
from collections.abc import Callable

LOOK_MS = 15_000
"""How often to see whether pages have gone."""


class Leftovers:
    """Gives memory back after pages have gone.

    A page is some ten thousand small objects. The C library keeps what was theirs for
    later, scattered as it is, and the process grows with how often pages are opened:
    by 70 MB after thirty of them, of which all but a few come back when asked for.

    Parameters
    ----------
    count
        How many pages the server holds now.
    give_back
        What returns memory to the system.
    """

    def __init__(
        self, count: Callable[[], int], give_back: Callable[[], None] | None = None
    ) -> None:
        self._count = count
        self._give_back = give_back or trim
        self._before = 0

    def look(self) -> None:
        """Give back, if there are fewer pages than at the last look."""
        before, self._before = self._before, self._count()
        if self._before < before:
            self._give_back()


def trim() -> None:
    """Have glibc give back what is free; other C libraries have no such thing."""
    gc.collect()  # models of a page know each other, and are not free before
    if os.name != "posix":
        return
    trim_heap = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim_heap is not None:
        trim_heap(0)
