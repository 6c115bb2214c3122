"""Labels that a stranger may choose, and still cannot make without end."""

OTHER = "other"
MOST = 64
"""Values of one label; each is a time series that Prometheus keeps for months."""


class Bounded:
    """Keeps the first `most` sets of labels and calls all others "other".

    Parameters
    ----------
    most
        How many are kept.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: set[tuple[str, ...]] = set()

    def labels(self, *values: str) -> tuple[str, ...]:
        """`values`, or as many times "other"."""
        if values not in self._known:
            if len(self._known) >= self._most:
                return (OTHER,) * len(values)
            self._known.add(values)
        return values
