"""Progress bars on the terminal, for work that takes more than a moment."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

type Report = Callable[[int, int], None]
"""Called with what is done and what there is to do."""


@contextmanager
def progress_bar(what: str, *, at_once: bool = False) -> Iterator[Report]:
    """Block in which what is reported shows as a bar on stderr.

    It shows from the first report on: what is refused before has none. With `at_once`
    nothing is refused any more, and the first report may take long.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=Console(file=sys.stderr))
    task = progress.add_task(what, total=None)

    def report(done: int, total: int) -> None:
        progress.start()
        progress.update(task, completed=done, total=total)

    if at_once:
        progress.start()
    try:
        yield report
    finally:
        if progress.live.is_started:
            progress.stop()
