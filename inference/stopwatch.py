"""How long each stage of an analysis took."""

from collections.abc import Callable


class Stopwatch:
    """Laps of one analysis, by name, in order."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._start = self._last = clock()
        self.laps_ms: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """End the stage that has run since the lap before, and call it `name`."""
        now = self._clock()
        self.laps_ms[name] = (now - self._last) * 1e3
        self._last = now

    def beside(self) -> "Stopwatch":
        """One more, for what runs at the same time as what this one measures."""
        return Stopwatch(self._clock)

    @property
    def total_s(self) -> float:
        """From the start to now, seconds."""
        return self._clock() - self._start
