"""Has a built plug-in carry what it needs of `streamer`, and its manifest."""

import importlib.util
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLUG_IN = Path("atomstream_bridge")
INSTALLED = Path("nionswift_plugin") / PLUG_IN
"""Where Nion Swift looks for it."""


class CarryStreamer(BuildHookInterface):  # type: ignore[type-arg]
    """Adds them to a wheel, and the modules to a source distribution."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to be added."""
        self._made = TemporaryDirectory()
        if version == "editable":
            return
        carrying = load(self.root / PLUG_IN / "carrying.py")
        streamer = Path(self.root).parents[1] / "streamer"
        if not streamer.is_dir():  # a source distribution, which has it
            streamer = self.root / PLUG_IN / carrying.FOLDER / "streamer"
        added = carrying.carried(streamer)
        if self.target_name == "wheel":
            added |= self._manifest()
        within = INSTALLED if self.target_name == "wheel" else PLUG_IN
        for source, place in added.items():
            build_data["force_include"][str(source)] = str(within / place)

    def finalize(self, *_: object) -> None:
        """Remove what was written for the build."""
        self._made.cleanup()

    def _manifest(self) -> dict[Path, Path]:
        manifest = load(self.root / PLUG_IN / "manifest.py")
        written = Path(self._made.name, manifest.FILE)
        written.write_text(manifest.manifest(self.metadata.version), encoding="utf-8")
        return {written: Path(manifest.FILE)}


def load(path: Path) -> ModuleType:
    """The module in a file; its package cannot be imported here."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
