"""A service from its start to its end, whichever command wants one."""

from collections.abc import Mapping
from functools import partial

from atomstream.service.model_wish import ask_again
from atomstream.service.process import Task
from atomstream.service.settings import ServiceSettings
from atomstream.service.supervisor import Supervisor
from atomstream.service.tasks import service_tasks
from streamer.session.creation import create_session


def run_service(settings: ServiceSettings, beside: Mapping[str, Task]) -> None:
    """Return when the work is done or a signal says to stop.

    Parameters
    ----------
    beside
        What else is to run as long as the service does, by name.

    Raises
    ------
    SessionError
        The folder cannot be a session.
    ServiceError
        As for `Supervisor.run`.
    """
    create_session(settings.record)
    tasks = {**service_tasks(settings), **beside}
    Supervisor(tasks, partial(ask_again, settings.record)).run()
