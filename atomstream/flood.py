"""What may come in floods: the first of a kind are let through, the rest counted."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

MOST = 30
WINDOW_S = 60.0
KINDS = 1000
"""That are told apart at once; all beyond are one."""


@dataclass(slots=True)
class Window:
    """A while that begins with the first of its kind."""

    until_s: float
    admitted: int = 0
    left_out: int = 0


class Flood[Kind: Hashable]:
    """Admits the first `MOST` of each kind in `WINDOW_S`.

    Parameters
    ----------
    clock
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows: dict[Kind | None, Window] = {}

    def admits(self, kind: Kind) -> bool:
        """Whether one more of `kind` is let through; it is counted if not."""
        window = self._window(kind)
        if window.admitted < MOST:
            window.admitted += 1
            return True
        window.left_out += 1
        return False

    def is_full(self, kind: Kind) -> bool:
        """Whether the next of `kind` in this while would be left out."""
        return self._window(kind).admitted >= MOST

    def over(self, *, at_once: bool = False) -> Iterator[tuple[Kind | None, int]]:
        """Kinds whose while is over, with how many were left out; each once.

        Kinds beyond `KINDS` are told as None. With `at_once` no while is waited for.
        """
        now_s = self._clock()
        for kind, window in list(self._windows.items()):
            if at_once or window.until_s <= now_s:
                del self._windows[kind]
                if window.left_out:
                    yield kind, window.left_out

    def _window(self, kind: Kind) -> Window:
        """The while of a kind; one that is over and was not told goes on."""
        key = kind if kind in self._windows or len(self._windows) < KINDS else None
        return self._windows.setdefault(key, Window(self._clock() + WINDOW_S))
