"""Sends what Nion Swift scans to atomstream, and shows there what was found.

Found and started by Nion Swift itself.

Modules of this package import each other relatively: in a PlugIns folder it is known by
another name. `nion` itself is imported by `watching` alone, when it is started.
"""

from pathlib import Path
from typing import Any

from .carrying import make_importable

make_importable()

from .bridge import Bridge  # noqa: E402 - what it imports has to be found first
from .panel import Panel  # noqa: E402
from .results import Results  # noqa: E402
from .watching import Watch  # noqa: E402

SETTINGS = "atomstream.json"
RESULTS_SETTINGS = "atomstream-results.json"


class AtomstreamExtension:
    """What Nion Swift makes one of when it starts, and closes when it ends."""

    extension_id = "atomstream.bridge"

    def __init__(self, api_broker: Any) -> None:
        api = api_broker.get_api(version="~1.0", ui_version="~1.0")
        folder = Path(api.application.configuration_location)
        self._bridge = Bridge(folder / SETTINGS)
        self._watch = Watch(self._bridge)
        self._results = Results(folder / RESULTS_SETTINGS, api)
        self._panel = Panel(self._bridge, self._results)
        self._reference = api.create_panel(self._panel)

    def close(self) -> None:
        """Let go of everything."""
        self._panel.end()
        self._results.close()
        self._watch.close()
        self._bridge.close()
