"""How often the processes of a service were started again, known to all of them."""

from collections.abc import Iterable, Mapping
from multiprocessing.sharedctypes import RawArray


class Restarts:
    """A count for each process, in memory that all of a service share.

    The process that minds the others counts. It lives as long as the service, so that
    whoever is started again itself reads a count that goes on.

    Parameters
    ----------
    names
        Of the processes.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = tuple(names)
        self._counts = RawArray("Q", len(self._names))

    def count(self, name: str) -> None:
        """One more of this name is started again."""
        self._counts[self._names.index(name)] += 1

    def counts(self) -> Mapping[str, int]:
        """Those of all processes, from 0 on."""
        return dict(zip(self._names, self._counts, strict=True))
