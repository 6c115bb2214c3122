"""Measures what points at atoms cost in Nion Swift's window, for docs/nion.md.

Run it as `uv run --extra nion --with nionswift-tool --with ./deploy/nionswift python
docs/nion_marks.py`; it needs what nion_screenshot.py needs. `main` is what Nion Swift's
launcher asks for.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

FOLDER, RESULT = "ATOMSTREAM_NION_WINDOW", "{}.json"
COUNTS = (0, 10, 20, 50, 100, 300)
WATCH_S = 2.0
SIDE = 1024


def main(args: list[Any], bootstrap_args: dict[str, Any]) -> Any:
    """Nion Swift's window; measures in the background."""
    from nion_window import start

    del args
    app = start(bootstrap_args)
    Thread(target=measure_all, args=(app,), daemon=True).start()
    return app


def measure_all(app: Any) -> None:
    """Measure each number of points, and write down what was measured."""
    from nion_window import project_window

    window = project_window(app)
    for count in COUNTS:
        file = Path(os.environ[FOLDER]) / RESULT.format(count)
        found = json.dumps(measure(window, count))
        file.with_suffix(".part").write_text(found)
        file.with_suffix(".part").replace(file)


def measure(window: Any, count: int) -> dict[str, float]:
    """What Nion Swift's thread had to do, and the longest pause afterwards, in ms."""
    from nion.swift import Facade

    from atomstream_bridge.document import show

    api = Facade.get_api("~1.0", "~1.0")
    library = Facade.Library(window.document_model)
    first, second = scattered(count, 1), scattered(count, 2)
    made_ms = timed(window, lambda: show(api, library, first))

    def display() -> None:
        item = library.get_data_item_for_reference_key(first.key)
        Facade.DocumentWindow(window).display_data_item(item)

    timed(window, display)
    longest_pause_ms(window)
    moved_ms = timed(window, lambda: show(api, library, second))
    pause_ms = longest_pause_ms(window)
    removed_ms = timed(window, lambda: show(api, library, replace(first, marks=())))
    return {"points": count, "made": made_ms, "moved": moved_ms,
            "pause": pause_ms, "removed": removed_ms}  # fmt: skip


def scattered(count: int, seed: int) -> Any:
    """A picture with points anywhere."""
    import numpy as np

    from atomstream_bridge.picture import Mark, Picture
    from atomstream_bridge.placing import Placing

    rng = np.random.default_rng(seed)
    marks = tuple(
        Mark(float(y), float(x), "#56c7e8") for y, x in rng.uniform(size=(count, 2))
    )
    image = rng.integers(0, 255, (SIDE, SIDE), np.uint8)
    placing = Placing((SIDE, SIDE), 1, 16 / SIDE, (0.0, 0.0))
    return Picture("atomstream/measured", "measured", image, (0.0, 1.0), placing,
                   marks, {})  # fmt: skip


def timed(window: Any, action: Callable[[], None]) -> float:
    """CPU time of an action in Nion Swift's own thread, in ms."""
    took: list[float] = []
    done = Event()

    def act() -> None:
        began_s = time.thread_time()
        try:
            action()
        finally:
            took.append((time.thread_time() - began_s) * 1e3)
            done.set()

    window.queue_task(act)
    done.wait()
    return took[0]


def longest_pause_ms(window: Any) -> float:
    """The longest that Nion Swift's thread left a small task waiting, in ms."""
    longest_s, until_s = 0.0, time.perf_counter() + WATCH_S
    while (asked_s := time.perf_counter()) < until_s:
        done = Event()
        window.queue_task(done.set)
        done.wait()
        longest_s = max(longest_s, time.perf_counter() - asked_s)
    return longest_s * 1e3


def run() -> None:
    """Start Nion Swift, wait until it has measured, print a table."""
    from nion_screenshot import nion_swift, screen, wait_for, write

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "atomstream.json", enabled=False)
        write(folder / "atomstream-results.json")
        sys.stdout.write("| points | made | moved | longest pause after | removed |\n")
        with screen() as display, nion_swift(Path(__file__), folder, display):
            for count in COUNTS:
                file = folder / RESULT.format(count)
                wait_for(file.exists)
                row = json.loads(file.read_text()).values()
                sys.stdout.write("| " + " | ".join(f"{n:.0f}" for n in row) + " |\n")
                sys.stdout.flush()


if __name__ == "__main__":
    run()
