"""The process that stands in for a microscope: Nion's own scan of a simulated movie."""

import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomstream.nion.headless import Wanted, headless_scan
from atomstream.service.tasks import NionScan
from atomstream_bridge.bridge import Bridge
from atomstream_bridge.settings import BridgeSettings, write_settings
from atomstream_bridge.watching import Watch
from streamer.simulator.microscope import Microscope
from streamer.simulator.movie import Exposure, Movie, simulate

log = logging.getLogger("nion")


class MovieSample:
    """Shows the frames of a movie one after the other, the last one again and again.

    Nion's acquisition thread waits for a frame, so the next one is drawn ahead.

    Parameters
    ----------
    movie
        What is seen; its field of view and shape are those that have to be scanned.
    seed
        Same seed, same movie.
    """

    def __init__(self, movie: Movie, seed: int) -> None:
        self._exposures = simulate(movie, seed)
        self._left = movie.frames
        self._drawing = ThreadPoolExecutor(1, "movie")
        self._next = self._draw()
        self.before_last: Callable[[], None] = lambda: None
        """Called before the last frame is given."""

    def __call__(self, wanted: Wanted) -> NDArray[np.float32]:
        """The next frame.

        Raises
        ------
        ValueError
            Another shape is scanned than the movie has.
        """
        image = self._next.result().image
        if image.shape != wanted.shape:
            raise ValueError(f"a scan of {wanted.shape}, the movie has {image.shape}")
        self._left -= 1
        if self._left > 0:
            self._next = self._draw()
        else:
            self.before_last()
        return image

    def close(self) -> None:
        """Draw no more."""
        self._drawing.shutdown(cancel_futures=True)

    def _draw(self) -> Future[Exposure]:
        return self._drawing.submit(next, self._exposures)


def scan_movie(task: NionScan, stopping: threading.Event) -> None:
    """Have Nion scan the movie once, and our plug-in send what it delivers."""
    movie = Movie(frames=task.frames)
    sample = MovieSample(movie, task.seed)
    try:
        with headless_scan(sample) as scan, plug_in(task.bind) as bridge:
            log.info("%d frames at %s", task.frames, bridge.state().url)
            adjust(scan, movie.microscope, task.interval_s)
            # Nion finishes the frame that it has begun.
            sample.before_last = scan.stop_playing
            scan.start_playing()
            stopping.wait()
    finally:
        sample.close()


@contextmanager
def plug_in(address: str) -> Iterator[Bridge]:
    """The plug-in as Nion Swift would start it, with this address."""
    with tempfile.TemporaryDirectory(prefix="atomstream-") as folder:
        file = Path(folder) / "atomstream.json"
        write_settings(file, BridgeSettings(address=address))
        bridge = Bridge(file)
        watch = Watch(bridge)
        try:
            yield bridge
        finally:
            watch.close()
            bridge.close()


def adjust(scan: Any, microscope: Microscope, frame_time_s: float) -> None:  # noqa: ANN401 - Nion's
    """Scan the microscope's field of view in this time."""
    rows, cols = microscope.shape
    parameters = scan.get_current_frame_parameters()
    parameters.pixel_size = microscope.shape
    parameters.fov_nm = microscope.field_nm
    parameters.pixel_time_us = frame_time_s * 1e6 / (rows * cols)
    scan.set_current_frame_parameters(parameters)
