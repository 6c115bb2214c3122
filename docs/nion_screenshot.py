"""Makes the picture of Nion Swift in this folder: its window, with plug-in and panel.

Run it as `uv run --extra nion --with nionswift-tool --with ./deploy/nionswift python
docs/nion_screenshot.py`; needs Linux, Xvfb and what Qt needs of X11 (docs/nion.md
names the packages).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import distribution
from pathlib import Path

from PIL import ImageGrab

from atomstream.ports import free_address

HERE = Path(__file__).parent
PICTURE = HERE / "nion.png"
PROGRAM = HERE / "nion_window.py"
FOLDER, READY = "ATOMSTREAM_NION_WINDOW", "ready"
SCREEN = "1500x900x24"
LAUNCHER = "../../../bin/NionSwiftLauncher/NionSwiftLauncher"
WITHIN_S = 150.0


def main() -> None:
    """Start all that there is in a live analysis, and take the picture."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        frames, analyses = free_address(), free_address()
        write(folder / "atomstream.json", enabled=True, address=frames)
        write(folder / "atomstream-results.json", enabled=True, address=analyses,
              view=sys.argv[1] if len(sys.argv) > 1 else "atoms")  # fmt: skip
        service = [sys.executable, "-m", "atomstream", "serve", "--connect", frames,
                   "--publish", analyses, "--record", folder / "session"]  # fmt: skip
        stack.enter_context(running(service))
        display = stack.enter_context(screen())
        stack.enter_context(nion_swift(PROGRAM, folder, display))
        wait_for((folder / READY).exists)
        ImageGrab.grab(xdisplay=display).save(PICTURE, optimize=True)


def write(file: Path, **settings: object) -> None:
    """Settings of the plug-in; what is not given is as usual."""
    file.write_text(json.dumps(settings))


@contextmanager
def screen() -> Iterator[str]:
    """A screen that nobody sees; its name."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", f"{writing}", "-screen", "0", SCREEN]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as x:
        os.close(writing)
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        try:
            yield f":{number}"
        finally:
            x.terminate()


@contextmanager
def nion_swift(program: Path, folder: Path, display: str) -> Iterator[None]:
    """Nion Swift, which knows of nobody's settings and projects."""
    launcher = distribution("nionswift-tool").locate_file(LAUNCHER)
    paths = os.pathsep.join(map(str, (HERE, *sys.path)))
    environment = {**os.environ, "DISPLAY": display, "HOME": str(folder),
                   "QT_QPA_PLATFORM": "xcb", FOLDER: str(folder),
                   "PYTHONPATH": paths}  # fmt: skip
    with running([launcher, sys.prefix, program], env=environment):
        yield


@contextmanager
def running(command: list[object], env: dict[str, str] | None = None) -> Iterator[None]:
    """A program that is ended afterwards."""
    with subprocess.Popen([*map(str, command)], env=env) as program:
        try:
            yield
        finally:
            program.terminate()
            try:
                program.wait(20)
            except subprocess.TimeoutExpired:
                program.kill()


def wait_for(holds: Callable[[], bool]) -> None:
    """Wait until something holds.

    Raises
    ------
    TimeoutError
        It does not.
    """
    deadline_s = time.monotonic() + WITHIN_S
    while not holds():
        if time.monotonic() > deadline_s:
            raise TimeoutError("nothing to be seen in Nion Swift")
        time.sleep(0.2)


if __name__ == "__main__":
    if shutil.which("Xvfb") is None:
        sys.exit("needs Xvfb: apt-get install xvfb")
    main()
