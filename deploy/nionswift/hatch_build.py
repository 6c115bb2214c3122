"""Has a built plug-in carry the modules of `streamer` that it needs."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLUG_IN = Path("nionswift_plugin") / "atomstream_bridge"


class CarryStreamer(BuildHookInterface):  # type: ignore[type-arg]
    """Adds them to a wheel and to a source distribution."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to be added; none where they are in place already."""
        project = Path(self.root).parents[1]
        if version == "editable" or not (project / "streamer").is_dir():
            return
        carrying = load(Path(self.root) / PLUG_IN / "carrying.py")
        for source, place in carrying.carried(project / "streamer").items():
            build_data["force_include"][str(source)] = str(PLUG_IN / place)


def load(path: Path) -> ModuleType:
    """The module in a file; its package cannot be imported here."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
