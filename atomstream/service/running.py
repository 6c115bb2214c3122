"""A service from its start to its end, whichever command wants one."""

from collections.abc import Mapping
from functools import partial

from atomstream.service.child import warm_up
from atomstream.service.model_wish import ask_again
from atomstream.service.process import Task
from atomstream.service.settings import ServiceSettings
from atomstream.service.supervisor import Supervisor
from atomstream.service.tasks import service_tasks
from streamer.session.roles import Role
from streamer.session.writing import index_for

PAGE_MODULES = ("atomstream.service.showing",)
METRICS_MODULES = ("atomstream.service.exporting",)


def run_service(settings: ServiceSettings, beside: Mapping[str, Task]) -> None:
    """Return when the work is done or a signal says to stop.

    Parameters
    ----------
    beside
        What else is to run as long as the service does, by name.

    Raises
    ------
    SessionError
        The folder cannot be a session, or another service has it.
    ServiceError
        As for `Supervisor.run`.
    """
    tasks = {**service_tasks(settings), **beside}
    # While this process has the session, who has a part of it is about to let go.
    with index_for(settings.record, Role.SERVICE):
        warm_up(
            (PAGE_MODULES if settings.dashboard else ())
            + (METRICS_MODULES if settings.metrics else ())
        )
        asked = partial(ask_again, settings.record)
        Supervisor(tasks, asked, settings.logs).run()
