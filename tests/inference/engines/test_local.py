from collections.abc import Callable
from dataclasses import replace

import pytest

from inference.engines.engine import Job, Setup, analysed
from inference.engines.local import LocalEngine, attempt
from inference.model_files import ModelFiles
from streamer.analysis import Analysis, Flag
from streamer.errors import ModelError

type AsBytes = Callable[[Analysis], tuple[object, ...]]


@pytest.fixture
def engine(shipped: ModelFiles) -> LocalEngine:
    return LocalEngine(shipped, Setup(threads=1))


def test_analyses_come_in_the_order_of_the_frames(
    engine: LocalEngine, jobs: list[Job]
) -> None:
    found = list(analysed(engine, jobs[1:4]))
    assert [analysis.seq for analysis in found] == [1, 2, 3]
    assert all(len(analysis.atoms) > 100 for analysis in found)


def test_a_frame_that_was_submitted_keeps_its_model(
    engine: LocalEngine, jobs: list[Job], renamed: ModelFiles
) -> None:
    engine.submit(jobs[1])
    before = engine.model
    engine.use(engine.prepared(renamed))
    kept = engine.collect(0)
    assert kept is not None
    assert kept.model == before
    engine.submit(jobs[2])
    new = engine.collect(0)
    assert new is not None
    assert new.model.sha256 == renamed.sha256


def test_a_frame_that_cannot_be_analysed_has_no_atoms_and_says_why(
    shipped: ModelFiles, jobs: list[Job]
) -> None:
    analyser = Setup(threads=1).analyser(shipped)
    # No network can look at tiles that hold nothing.
    analysis = attempt(replace(analyser, most_px=0), jobs[1])
    assert analysis.flags == (Flag.FAILED, Flag.NO_ATOMS)
    assert len(analysis.atoms) == 0


def test_a_model_that_cannot_be_used_leaves_the_one_before(
    engine: LocalEngine, renamed: ModelFiles
) -> None:
    before = engine.model
    spoilt = {name: content[:-1] for name, content in renamed.networks.items()}
    with pytest.raises(ModelError, match="is not the file its card describes"):
        engine.prepared(replace(renamed, networks=spoilt))
    assert engine.model == before
