"""Events of a session, kept in mind while the disk does not take them."""

import time
from collections import deque
from collections.abc import Callable

from streamer.errors import StorageError

MOST = 1000
"""Events kept in mind; of more, the oldest are forgotten."""

type CommitEvent = Callable[[int, str, str], None]
"""Writes down (time in ns since 1970 UTC, kind, text)."""


class Journal:
    """Writes events down, at once or as soon as it is possible, in their order."""

    def __init__(
        self, commit: CommitEvent, wall_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._commit = commit
        self._wall_ns = wall_ns
        self._waiting: deque[tuple[int, str, str]] = deque(maxlen=MOST)

    def note(self, kind: str, text: str) -> None:
        """Something happened now.

        Raises
        ------
        SessionError
            The session is damaged.
        """
        self._waiting.append((self._wall_ns(), kind, text))
        self.catch_up()

    def catch_up(self) -> None:
        """Write down what is waiting, if the disk takes it now.

        Raises
        ------
        SessionError
            The session is damaged.
        """
        try:
            while self._waiting:
                self._commit(*self._waiting[0])
                self._waiting.popleft()
        except StorageError:
            return
