"""The stages of an analysis follow each other and are all of it."""

from collections.abc import Callable, Mapping

import pytest

from inference.analyse import Analyser, History
from inference.catalogue import DEFAULT
from inference.model import load_model
from streamer.frame import Frame
from streamer.simulator.sheet import Sheet
from tests.inference.exposing import exposed, microscope


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("refine", [True, False])
def test_stages_add_up_to_the_time_that_a_frame_takes(
    make_frame: Callable[..., Frame],
    stages: Mapping[str, Sheet],
    threads: int,
    refine: bool,
) -> None:
    exposure = exposed(stages["late"], microscope(0.02))
    size = exposure.microscope.pixel_size_nm
    frame = make_frame(exposure.image, pixel_size_nm=size)
    analyser = Analyser(load_model(DEFAULT, threads=threads), refine=refine)
    analysis = analyser.analyse(frame, History())
    took_s = sum(analysis.stages_ms.values()) / 1000
    assert took_s == pytest.approx(analysis.latency_s, rel=0.02)
