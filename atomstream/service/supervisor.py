"""The process that minds the others: starts them, restarts what dies, stops them."""

import logging
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from types import FrameType

from atomstream.service.process import BAD_INPUT, DRAIN_S, Child, Task, start
from streamer.errors import AtomstreamError

log = logging.getLogger("service")
CRASHES_ALLOWED = 5
"""In a row, with nothing achieved between them: more than one frame can cause."""
CRASH_WINDOW_S = 60.0
LOST = 255
"""Exit code where the process that children are copied from has died."""
LOST_S = 1.0
"""Until that is sure to be noticed: a copy asked for meanwhile would never come."""


class ServiceError(AtomstreamError):
    """A process of the service cannot do its work; it has said why."""


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Minds one process a task.

    When a process ends by itself the work is done, and the others are stopped. When
    it dies it is started again, unless it dies again and again and achieves nothing.
    """

    tasks: Mapping[str, Task]
    on_hangup: Callable[[], None] | None = None
    """Called at SIGHUP; None to leave that signal alone."""
    crashes: dict[str, deque[float]] = field(default_factory=dict)

    def run(self) -> None:
        """Return when the work is done or a signal says to stop.

        Raises
        ------
        ServiceError
            A process refused its input, or died `CRASHES_ALLOWED` times in a minute
            without having achieved anything.
        """
        with _signals_interrupt(), _hangup_calls(self.on_hangup):
            children = {name: start(name, task) for name, task in self.tasks.items()}
            try:
                self._mind(children)
            except KeyboardInterrupt:
                log.info("stopping")
            finally:
                stop_all(children)

    def _mind(self, children: dict[str, Child]) -> None:
        while True:
            wait([child.process.sentinel for child in children.values()])
            for name, child in list(children.items()):
                code = child.process.exitcode
                if code == 0:
                    return
                if code == BAD_INPUT:
                    raise ServiceError(f"the service has stopped: {name} cannot run")
                if code is not None:
                    if child.has_progressed():
                        self.crashes.pop(name, None)
                    child.stop()
                    self._count_crash(name, code)
                    if code == LOST:
                        time.sleep(LOST_S)
                    children[name] = start(name, self.tasks[name])

    def _count_crash(self, name: str, code: int) -> None:
        now = time.monotonic()
        times = self.crashes.setdefault(name, deque(maxlen=CRASHES_ALLOWED))
        times.append(now)
        if len(times) == CRASHES_ALLOWED and now - times[0] < CRASH_WINDOW_S:
            raise ServiceError(
                f"{name} died {CRASHES_ALLOWED} times in {CRASH_WINDOW_S:.0f} s "
                f"(last exit code {code}); its messages above say why"
            )
        log.warning("%s died (exit code %d) and is started again", name, code)


def stop_all(children: Mapping[str, Child]) -> None:
    """Let every process finish what it is doing; kill those that cannot."""
    for child in children.values():
        child.stop()
    deadline = time.monotonic() + DRAIN_S
    for child in children.values():
        child.process.join(max(0.0, deadline - time.monotonic()))
        if child.process.exitcode is None:
            log.warning("%s did not stop and is killed", child.name)
            child.process.kill()
            child.process.join()


@contextmanager
def _hangup_calls(action: Callable[[], None] | None) -> Iterator[None]:
    """Block in which SIGHUP does as it is told, where there is that signal."""
    if sys.platform == "win32" or action is None:
        yield
        return
    before = signal.signal(signal.SIGHUP, lambda *_: action())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Block in which SIGTERM does what Ctrl-C does; a second one changes nothing."""

    def interrupt(number: int, _: FrameType | None) -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    for name in before:
        signal.signal(name, interrupt)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
