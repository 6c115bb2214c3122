"""What a service is told when it is started."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from atomstream.engines import EngineChoice
from atomstream.logs import LogSettings
from dashboard.access.terms import Access
from dashboard.alert_rules import AlertRules
from streamer.security import PLAIN, Binding, Connecting


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Where frames come from, where everything goes, and which model looks at them."""

    connect: tuple[str, ...]
    """Addresses of sources."""
    record: Path
    """Session folder."""
    publish: str
    """Address at which analyses are published."""
    model: str
    """Name of a shipped model, or a model's folder."""
    engine: EngineChoice
    """Where frames are analysed."""
    pixel_size_nm: float | None = None
    """Instead of the frames' own calibration; None to trust that."""
    estimate_pixel_size: bool = False
    """Whether each frame's own lattice is asked first."""
    dashboard: tuple[str, int] | None = None
    """Address and port of the page; None for no page."""
    access: Access = field(default_factory=Access)
    """Who may open the page."""
    rules: AlertRules = field(default_factory=AlertRules)
    """What it alerts of."""
    metrics: tuple[str, int] | None = None
    """Address and port of the metrics; None for none."""
    passing: bool = False
    """Whether the session folder is removed when the service has stopped."""
    logs: LogSettings = field(default_factory=LogSettings)
    """How all of its processes log."""
    until_end: bool = False
    """Stop by itself when every stream has ended and is analysed."""
    connect_security: Mapping[str, Connecting] = field(default_factory=dict)
    """How each source is protected; plain, where nothing is said."""
    publish_security: Binding = PLAIN
    """Who may have the analyses."""
