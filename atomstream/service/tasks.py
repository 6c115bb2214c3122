"""The processes of a service: what each is told.

A task crosses to its process as a value; only there does it import what it needs, so
that the process that receives holds no model, and the one that analyses no page.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from atomstream.engines import EngineChoice
from atomstream.service.process import Lifeline, Task
from atomstream.service.settings import ServiceSettings
from dashboard.access.terms import Access
from dashboard.alert_rules import AlertRules
from streamer.endpoint import Address
from streamer.security import Binding, Connecting, CurveClient, CurveServer


@dataclass(frozen=True, slots=True)
class Receiver:
    """Receives frames and commits them."""

    connect: tuple[str, ...]
    """Addresses of sources."""
    security: Mapping[str, Connecting]
    """How each of them is protected."""
    record: Path
    """Session folder."""

    def __call__(self, stopping: Lifeline) -> None:
        """Run in this process until told to stop."""
        from atomstream.service.receiving import receive

        receive(self, stopping)


@dataclass(frozen=True, slots=True)
class Analyst:
    """Analyses what is committed and publishes what it finds."""

    record: Path
    """Session folder."""
    publish: str
    """Address at which analyses are published."""
    security: Binding
    """Who may have them."""
    run: str
    """Of this service and no other, also when this process was started again."""
    model: str
    """Name of a shipped model, or a model's folder."""
    engine: EngineChoice
    """Where frames are analysed."""
    pixel_size_nm: float | None
    """Instead of the frames' own calibration."""
    estimate_pixel_size: bool
    """Whether each frame's own lattice is asked first."""
    until_end: bool
    """Stop when every stream has ended and is analysed."""

    def __call__(self, stopping: Lifeline) -> None:
        """Run in this process until told to stop."""
        from atomstream.service.analysing import keep_analysing

        keep_analysing(self, stopping)


@dataclass(frozen=True, slots=True)
class Page:
    """Shows analyses, as any subscriber to them could."""

    analyses: str
    """Address at which analyses are published."""
    security: Connecting
    """How it is protected."""
    record: Path
    """Session folder, where older frames are, and the models that are kept."""
    address: str
    port: int
    access: Access
    """Who may open it; the same again when this process was started again."""
    rules: AlertRules
    """What it alerts of."""
    passing: bool
    """Whether that folder is to be removed: what viewers write is not kept there."""

    def __call__(self, stopping: Lifeline) -> None:
        """Run in this process until told to stop."""
        from atomstream.service.showing import show

        show(self, stopping)


@dataclass(frozen=True, slots=True)
class Exporter:
    """Serves metrics of what it is told, as any subscriber to analyses could."""

    analyses: str
    """Address at which analyses are published."""
    security: Connecting
    """How it is protected."""
    address: str
    port: int

    def __call__(self, stopping: Lifeline) -> None:
        """Run in this process until told to stop."""
        from atomstream.service.exporting import export

        export(self, stopping)


@dataclass(frozen=True, slots=True)
class Simulation:
    """Stands in for a microscope: a simulated movie as a live stream."""

    bind: str
    """Address at which frames are published."""
    frames: int
    interval_s: float
    """From the start of one frame to that of the next."""
    seed: int

    def __call__(self, stopping: threading.Event) -> None:
        """Run in this process until told to stop."""
        from atomstream.service.simulating import play

        play(self, stopping)


@dataclass(frozen=True, slots=True)
class NionScan:
    """Stands in for a microscope: Nion Swift's own scan of the simulated movie."""

    bind: str
    """Address at which frames are published."""
    frames: int
    interval_s: float
    """From the start of one frame to that of the next, but for what Nion adds."""
    seed: int

    def __call__(self, stopping: threading.Event) -> None:
        """Run in this process until told to stop."""
        from atomstream.nion.scanning import scan_movie

        scan_movie(self, stopping)


def service_tasks(settings: ServiceSettings) -> dict[str, Task]:
    """The processes of a new service, by name; who receives is never to be late."""
    tasks: dict[str, Task] = {
        "receive": Receiver(
            settings.connect, settings.connect_security, settings.record
        ),
        "analyse": Analyst(
            settings.record,
            settings.publish,
            settings.publish_security,
            uuid4().hex,
            settings.model,
            settings.engine,
            settings.pixel_size_nm,
            settings.estimate_pixel_size,
            settings.until_end,
        ),
    }
    analyses = Address.parse(settings.publish).from_here().url
    security = as_subscriber(settings.publish_security)
    if settings.dashboard:
        tasks["dashboard"] = Page(
            analyses,
            security,
            settings.record,
            *settings.dashboard,
            settings.access,
            settings.rules,
            settings.passing,
        )
    if settings.metrics:
        tasks["metrics"] = Exporter(analyses, security, *settings.metrics)
    return tasks


def as_subscriber(security: Binding) -> Connecting:
    """How a process of the service connects to another that is protected so."""
    if isinstance(security, CurveServer):
        return CurveClient(security.keys, server_key=None)
    return security
