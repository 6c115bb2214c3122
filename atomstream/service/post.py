"""What is to be done in a service, and the process that is at it now."""

import logging
import time
from collections import deque
from dataclasses import dataclass, field

from atomstream.service.process import BAD_INPUT, Child, Task, start
from streamer.errors import AtomstreamError

log = logging.getLogger("service")
CRASHES_ALLOWED = 5
"""In a row, with nothing achieved between them: more than one frame can cause."""
CRASH_WINDOW_S = 60.0
LONGEST_PAUSE_S = 60.0
LOST = 255
"""Exit code where the process that children are copied from has died."""


class ServiceError(AtomstreamError):
    """A process of the service cannot do its work; it has said why."""


@dataclass(slots=True)
class Post:
    """One task: who is at it, and when the next one starts if nobody is."""

    name: str
    task: Task
    child: Child | None = None
    _lost: Child | None = field(default=None, init=False)
    """One before, whose end could not be seen: it may live on for a while."""
    _has_worked: bool = field(default=False, init=False)
    """Whether any process achieved something: what worked once can work again."""
    _failures: int = field(default=0, init=False)
    """Processes in a row that did not, or could not go on."""
    _crashes_s: deque[float] = field(
        default_factory=lambda: deque(maxlen=CRASHES_ALLOWED), init=False
    )
    _due_s: float = field(default=0.0, init=False)

    @property
    def exit_code(self) -> int | None:
        """Of the process; None while it runs, or where there is none."""
        return self.child.process.exitcode if self.child else None

    def start_if_due(self) -> None:
        """Start a process if there is none, it is time, and the one before is gone."""
        if self.child or time.monotonic() < self._due_s:
            return
        if self._lost and not self._lost.has_ended():
            return
        self._lost = None
        try:
            self.child = start(self.name, self.task)
        except (OSError, EOFError) as error:
            self._fail(None, f"cannot be started ({error})")

    def give_up_child(self) -> None:
        """The process has ended: say when the next one starts.

        Raises
        ------
        ServiceError
            There is no sense in that.
        """
        child, code = self.child, self.exit_code
        if child is None or code is None:
            return
        self.child = None
        if code == LOST:
            self._lost = child
            child.stop()
        if child.has_progressed():
            self._has_worked = True
            self._failures = 0
            self._crashes_s.clear()
        what = "cannot go on" if code == BAD_INPUT else f"died (exit code {code})"
        self._fail(code, what)

    def _fail(self, code: int | None, what: str) -> None:
        now = time.monotonic()
        self._failures += 1
        self._crashes_s.append(now)
        if not self._has_worked:
            self._check_hope(code, now)
        pause_s = self._pause_s(code)
        self._due_s = now + pause_s
        when = f" in {pause_s:.0f} s" if pause_s else ""
        log.warning("%s %s and is started again%s", self.name, what, when)

    def _check_hope(self, code: int | None, now: float) -> None:
        if code == BAD_INPUT:
            raise ServiceError(f"the service has stopped: {self.name} cannot run")
        times = self._crashes_s
        if len(times) == CRASHES_ALLOWED and now - times[0] < CRASH_WINDOW_S:
            raise ServiceError(
                f"{self.name} died {CRASHES_ALLOWED} times in {CRASH_WINDOW_S:.0f} s "
                f"(last exit code {code}); its messages above say why"
            )

    def _pause_s(self, code: int | None) -> float:
        """None for what a bad frame can cause; then longer each time."""
        free = 0 if code in (BAD_INPUT, None) else CRASHES_ALLOWED - 1
        beyond = self._failures - free
        return min(2.0 ** (beyond - 1), LONGEST_PAUSE_S) if beyond > 0 else 0.0
