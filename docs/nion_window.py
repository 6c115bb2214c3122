"""Nion Swift's own window with the plug-in, for the picture in this folder.

`nion_screenshot.py` has Nion Swift's launcher start `main`, in a folder of its own
(`FOLDER`): there the settings lie, and there it says that there is something to see.
"""

import os
import shutil
import time
from pathlib import Path
from threading import Thread
from typing import Any

from nion.instrumentation import HardwareSource
from nion.swift import Application, Facade
from nion.ui import Application as UserInterface
from nion.usim_device import InstrumentDevice

from atomstream.nion.headless import Wanted
from atomstream.nion.scanning import MovieSample, adjust
from streamer.simulator.movie import Movie

FOLDER = "ATOMSTREAM_NION_WINDOW"
SETTINGS = ("atomstream.json", "atomstream-results.json")
READY = "ready"
FRAME_S = 8.0
MOVIE = Movie(frames=200)
RESULT, LIVE = "atomstream/uSim Scan/HAADF", "usim_scan_device_a"
PANELS = ("atomstream-bridge", "scan-control-panel-usim_scan_device", "data-panel")
SIDE_BY_SIDE = {
    "type": "splitter",
    "orientation": "vertical",
    "splits": [0.5, 0.5],
    "children": [
        {"type": "image", "selected": True},
        {"type": "image"},
    ],
}


class Sheet(InstrumentDevice.ScanDataGenerator):
    """Nion's simulator, with our movie of a sheet of graphene as its sample."""

    def __init__(self, *, sample_index: int = 0) -> None:
        super().__init__(sample_index=sample_index)
        self._movie = MovieSample(MOVIE, seed=7)

    def generate_scan_data(self, instrument: object, parameters: Any) -> Any:
        """One frame."""
        del instrument
        rows, cols = parameters.size
        return self._movie(Wanted((rows, cols), float(parameters.fov_nm)))


class Window(Application.Application):
    """Opens a project of its own instead of asking for one."""

    def show_choose_project_dialog(self) -> None:
        """Make a project."""
        folder = Path(os.environ[FOLDER]) / "project"
        folder.mkdir()
        self.create_project_reference(folder, "Graphene")


def main(args: list[Any], bootstrap_args: dict[str, Any]) -> Application.Application:
    """What Nion Swift's launcher asks for."""
    del args
    # The simulator's plug-in, which is loaded when it starts, makes one of it.
    InstrumentDevice.ScanDataGenerator = Sheet
    app = start(bootstrap_args)
    Thread(target=direct, args=(app,), daemon=True).start()
    return app


def start(bootstrap_args: dict[str, Any]) -> Application.Application:
    """Nion Swift, whose plug-in has the settings that lie in the folder."""
    Facade.initialize()
    app = Window(UserInterface.make_ui(bootstrap_args))
    configuration = Path(app.ui.get_configuration_location())
    configuration.mkdir(parents=True, exist_ok=True)
    for name in SETTINGS:
        shutil.copy(Path(os.environ[FOLDER]) / name, configuration / name)
    app.initialize(use_root_dir=False)
    return app


def project_window(app: Application.Application) -> Any:
    """The window of the project, as soon as there is one; dialogs come before it."""
    found = None
    while found is None:
        time.sleep(0.1)
        found = next(
            (w for w in app.windows if getattr(w, "workspace_controller", None)), None
        )
    return found


def direct(app: Application.Application) -> None:
    """Scan, show what is scanned beside what was found, and say so."""
    window = project_window(app)
    window.queue_task(scan)
    references = window.document_model.get_data_item_reference
    while references(RESULT).data_item is None:
        time.sleep(0.1)
    window.queue_task(lambda: arrange(window))
    # A frame that is half scanned, beside the one before.
    time.sleep(1.5 * FRAME_S)
    (Path(os.environ[FOLDER]) / READY).touch()


def scan() -> None:
    """Start scanning."""
    manager = HardwareSource.HardwareSourceManager()
    source = manager.get_hardware_source_for_hardware_source_id("usim_scan_device")
    adjust(source, MOVIE.microscope, FRAME_S)
    source.start_playing()


def arrange(window: Any) -> None:
    """The live image and the results side by side, and the panels that matter."""
    window._document_window.fill_screen()
    workspace = window.workspace_controller
    workspace.ensure_workspace("atomstream", SIDE_BY_SIDE, "atomstream")
    for panel in workspace.dock_panels:
        if panel.panel_id in PANELS:
            panel.show()
        else:
            panel.hide()
    references = window.document_model.get_data_item_reference
    for key, panel in zip((LIVE, RESULT), workspace.display_panels, strict=True):
        item = references(key).data_item
        display = window.document_model.get_display_item_for_data_item(item)
        panel.set_display_panel_display_item(display)
        panel.perform_action("set_fill_mode")
