"""Analyses to show: of a simulated movie, made once, then again and again."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from atomstream.bench.scenes import PIXEL_SIZE_NM, SEED
from inference.analyse import Analyser, History
from inference.catalogue import DEFAULT
from inference.model import load_model
from streamer.analysis import FRAME_BUDGET_S, Analysis
from streamer.frame import Frame, Stream
from streamer.simulator.microscope import scaled_microscope
from streamer.simulator.movie import CHANNEL, SOURCE, Movie, simulate

DIFFERENT = 4
"""Frames that are really analysed; what follows repeats them under other numbers."""


def images(size_px: int) -> list[NDArray[np.float32]]:
    """The first frames of a movie of `size_px` rows and columns."""
    field_nm = size_px * PIXEL_SIZE_NM
    microscope = scaled_microscope(size_px, field_nm, dose=1.0)
    blob_radius_nm = min(1.6, field_nm / 10)
    movie = Movie(
        frames=DIFFERENT, microscope=microscope, blob_radius_nm=blob_radius_nm
    )
    return [shot.image for shot in islice(simulate(movie, SEED), DIFFERENT)]


def analysed_movie(movie: list[NDArray[np.float32]]) -> list[Analysis]:
    """Its frames as the default model sees them."""
    stream = Stream(str(uuid4()), SOURCE, CHANNEL)
    analyser, history = Analyser(load_model(DEFAULT)), History()
    frames = (
        Frame(stream, seq, image, pixel_size_nm=PIXEL_SIZE_NM)
        for seq, image in enumerate(movie)
    )
    return [analyser.analyse(frame, history) for frame in frames]


def endless(few: list[Analysis]) -> Iterator[Analysis]:
    """Those few over and over, numbered and dated as one long stream."""
    stream = replace(few[0].stream, id=str(uuid4()))
    for seq in count():
        like = few[seq % len(few)]
        yield replace(like, stream=stream, seq=seq, time_s=FRAME_BUDGET_S * seq)
