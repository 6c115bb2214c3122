"""The engine of the process that analyses, with the model that it is to use."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from atomstream.engines import files_of
from atomstream.service.model_in_use import files_in_use, in_use, remember
from atomstream.service.model_wish import withdraw_all
from atomstream.service.tasks import Analyst
from inference.engines.engine import Engine
from inference.model_files import ModelFiles
from streamer.errors import AtomstreamError
from streamer.session.journal import Journal

log = logging.getLogger("analyse")
RETRY_S = 2.0
"""Between two tries where a person must mend something."""


@contextmanager
def engine_of(
    task: Analyst, journal: Journal, stopping: threading.Event
) -> Iterator[Engine | None]:
    """The engine with the model in use; None when told to stop before there is one."""

    def tell(text: str) -> None:
        log.warning("%s", text)
        journal.note("engine", text)

    engine = opened(task, tell, stopping)
    try:
        yield engine
    finally:
        if engine is not None:
            engine.close()


def opened(
    task: Analyst, tell: Callable[[str], None], stopping: threading.Event
) -> Engine | None:
    """The engine, at its first start with the model that the task names.

    After a crash it goes on with the model that it had, and while that cannot be used
    it waits: frames are received all the same.

    Raises
    ------
    ModelError, SettingsError, EngineError
        At the first start: it cannot be used.
    """
    before = in_use(task.record, task.run)
    if before is None:
        # Here nobody else analyses the session, so what is in it is of an earlier one.
        withdraw_all(task.record)
        files = files_of(task.model)
        remember(task.record, task.run, task.model, files)
        return engine_with(task, files, tell)
    told = ""
    while not stopping.is_set():
        try:
            return engine_with(task, files_in_use(task.record, before), tell)
        except AtomstreamError as error:
            text = f"nothing is analysed until this is mended: {error}"
            if text != told:
                tell(text)
            told = text
        stopping.wait(RETRY_S)
    return None


def engine_with(
    task: Analyst, files: ModelFiles, tell: Callable[[str], None]
) -> Engine:
    """The engine that a task wants, at work with a model."""
    return task.engine.open(files, task.pixel_size_nm, task.estimate_pixel_size, tell)
