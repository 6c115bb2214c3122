"""When a task whose process has ended gets the next one: at once, later, or never.

A process that says it cannot go on, or cannot be started, is given time; one that dies
is started again at once as often as a single bad frame can cause it. Both wait twice as
long each time. What never worked is not tried for ever: a refusal ends the service,
and so do `CRASHES_ALLOWED` ends in `CRASH_WINDOW_S`. What has worked once always is.
"""

from collections import deque
from dataclasses import dataclass, field

from atomstream.service.process import BAD_INPUT
from streamer.errors import AtomstreamError

CRASHES_ALLOWED = 5
"""In a row, with nothing achieved between them: more than one frame can cause."""
CRASH_WINDOW_S = 60.0
LONGEST_PAUSE_S = 60.0


class ServiceError(AtomstreamError):
    """A process of the service cannot do its work; it has said why."""


@dataclass(slots=True)
class Restart:
    """What became of the processes of one task."""

    name: str
    _has_worked: bool = field(default=False, init=False)
    _failures: int = field(default=0, init=False)
    """Processes in a row that achieved nothing."""
    _ends_s: deque[float] = field(
        default_factory=lambda: deque(maxlen=CRASHES_ALLOWED), init=False
    )

    def worked(self) -> None:
        """One has achieved something: all is as in the beginning, but with hope."""
        self._has_worked = True
        self._failures = 0
        self._ends_s.clear()

    def pause_s(self, code: int | None, now_s: float) -> float:
        """Time until the next process, after one has ended.

        Parameters
        ----------
        code
            Its exit code; None if it could not be started.
        now_s
            Monotonic seconds.

        Raises
        ------
        ServiceError
            There is no sense in another one.
        """
        self._failures += 1
        self._ends_s.append(now_s)
        if not self._has_worked:
            self._check_hope(code, now_s)
        free = 0 if code in (BAD_INPUT, None) else CRASHES_ALLOWED - 1
        beyond = self._failures - free
        return min(2.0 ** (beyond - 1), LONGEST_PAUSE_S) if beyond > 0 else 0.0

    def _check_hope(self, code: int | None, now_s: float) -> None:
        if code == BAD_INPUT:
            raise ServiceError(f"the service has stopped: {self.name} cannot run")
        ends = self._ends_s
        if len(ends) == CRASHES_ALLOWED and now_s - ends[0] < CRASH_WINDOW_S:
            raise ServiceError(
                f"{self.name} died {CRASHES_ALLOWED} times in {CRASH_WINDOW_S:.0f} s "
                f"(last exit code {code}); its messages above say why"
            )
