"""What is to be done in a service, and the process that is at it now."""

import logging
import time
from dataclasses import dataclass, field

from atomstream.service.child import Child
from atomstream.service.process import BAD_INPUT, Circumstances, Task
from atomstream.service.restart import Restart

log = logging.getLogger("service")


@dataclass(slots=True)
class Post:
    """One task: who is at it, and when the next one starts if nobody is."""

    name: str
    task: Task
    around: Circumstances = field(default_factory=Circumstances)
    child: Child | None = None
    _restart: Restart = field(init=False)
    _due_s: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._restart = Restart(self.name)

    def poll(self) -> int | None:
        """Exit code of the process; None while it runs, or where there is none."""
        return self.child.poll() if self.child else None

    def start_if_due(self) -> None:
        """Start a process if there is none and it is time.

        Raises
        ------
        ServiceError
            It cannot be started, and never could.
        """
        if self.child or time.monotonic() < self._due_s:
            return
        # Before it starts: whoever breaks that off has it to stop.
        self.child = Child.of(self.name, self.task, self.around)
        try:
            self.child.start()
        except (OSError, EOFError) as error:
            self.child = None
            self._try_again(None, f"cannot be started ({error})")

    def give_up_child(self) -> None:
        """Say when the next process starts, if this one has ended.

        Raises
        ------
        ServiceError
            There is no sense in that.
        """
        child, code = self.child, self.poll()
        if child is None or code is None:
            return
        self.child = None
        if child.has_progressed:
            self._restart.worked()
        what = "cannot go on" if code == BAD_INPUT else f"died (exit code {code})"
        self._try_again(code, what)

    def _try_again(self, code: int | None, what: str) -> None:
        now_s = time.monotonic()
        pause_s = self._restart.pause_s(code, now_s)
        self._due_s = now_s + pause_s
        when = f" in {pause_s:.0f} s" if pause_s else ""
        self.around.restarts.count(self.name)
        log.warning("%s %s and is started again%s", self.name, what, when)
