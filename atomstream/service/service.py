"""A service put together: which processes it consists of, and what each is told."""

from atomstream.service.analysis import Analyst
from atomstream.service.page import Page
from atomstream.service.process import Task
from atomstream.service.receiver import Receiver
from atomstream.service.settings import ServiceSettings


def service_tasks(settings: ServiceSettings) -> dict[str, Task]:
    """The processes of a service, by name."""
    tasks: dict[str, Task] = {
        "analyse": Analyst(
            settings.record,
            settings.publish,
            settings.model,
            settings.threads,
            settings.pixel_size_nm,
            settings.until_end,
        ),
        "receive": Receiver(settings.connect, settings.record),
    }
    if settings.dashboard:
        tasks["dashboard"] = Page(settings.publish, *settings.dashboard)
    return tasks
