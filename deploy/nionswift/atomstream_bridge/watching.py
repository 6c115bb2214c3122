"""Finds the scan hardware sources of the Nion Swift around us, now and later."""

from typing import Any

from .bridge import Bridge
from .nion_objects import NEEDED, Listening

MANAGER = "nion.instrumentation.HardwareSource"


class Watch:
    """Adds each hardware source to a bridge, and takes it away again."""

    def __init__(self, bridge: Bridge) -> None:
        self._listening: list[Listening] = []
        try:
            from nion.instrumentation import HardwareSource
        except ImportError:
            bridge.refuse(f"this Nion Swift has no {MANAGER}; {NEEDED}")
            return
        manager: Any = HardwareSource.HardwareSourceManager()
        # A plug-in that is loaded later may bring its microscope later.
        self._listening = [
            manager.hardware_source_added_event.listen(bridge.add),
            manager.hardware_source_removed_event.listen(bridge.remove),
        ]
        for source in manager.hardware_sources:
            bridge.add(source)

    def close(self) -> None:
        """Look no more."""
        listening, self._listening = self._listening, []
        for listener in listening:
            listener.close()
