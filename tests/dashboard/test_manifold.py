"""Decoders are asked once for each model, off the page's thread."""

import threading
from collections.abc import Callable
from dataclasses import replace
from queue import Queue

import numpy as np
import pytest

from dashboard.hub import Hub
from dashboard.manifold import REMEMBERED, Manifold, Manifolds
from streamer.analysis import Analysis, ModelId
from streamer.errors import ModelError

PICTURE = Manifold(("z1", "z2"), np.zeros((4, 4), np.uint8), (-1, 1), (-1, 1))
WITHIN_S = 20.0


class Told:
    """Waits until it was told often enough."""

    def __init__(self) -> None:
        self._told: Queue[None] = Queue()

    def __call__(self) -> None:
        self._told.put(None)

    def wait(self) -> None:
        self._told.get(timeout=WITHIN_S)


@pytest.fixture
def model(movie: Callable[[int], Analysis]) -> ModelId:
    return movie(0).model


def test_a_model_is_drawn_once_on_another_thread(model: ModelId) -> None:
    threads, told = [], Told()

    def draw(_: ModelId) -> Manifold:
        threads.append(threading.current_thread())
        return PICTURE

    manifolds = Manifolds(draw, told)
    assert manifolds.of(model) is None
    told.wait()
    assert manifolds.of(model) is PICTURE
    assert manifolds.of(replace(model, name="renamed")) is PICTURE
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()


def test_one_decoder_works_at_a_time(model: ModelId) -> None:
    told, go = Told(), threading.Event()
    asked: list[str] = []

    def draw(model: ModelId) -> Manifold:
        asked.append(model.sha256)
        assert go.wait(WITHIN_S)
        return PICTURE

    manifolds = Manifolds(draw, told)
    others = [replace(model, sha256=f"{k}" * 64) for k in range(5)]
    assert [manifolds.of(each) for each in others] == [None] * 5
    go.set()
    told.wait()
    assert asked == ["0" * 64]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModelError("no such model"), "no such model"),
        (RuntimeError("a node is broken"), "RuntimeError: a node is broken"),
    ],
)
def test_why_there_is_no_drawing_is_said(
    model: ModelId, error: Exception, reason: str
) -> None:
    def draw(_: ModelId) -> Manifold:
        raise error

    told = Told()
    manifolds = Manifolds(draw, told)
    manifolds.of(model)
    told.wait()
    assert manifolds.of(model) == reason


def test_only_the_last_few_models_are_remembered(model: ModelId) -> None:
    asked: list[str] = []

    def draw(model: ModelId) -> Manifold:
        asked.append(model.sha256)
        return PICTURE

    told = Told()
    manifolds = Manifolds(draw, told)
    for k in (*range(REMEMBERED + 1), 0):
        assert manifolds.of(replace(model, sha256=f"{k:064d}")) is None
        told.wait()
    assert len(asked) == REMEMBERED + 2


def test_a_hub_without_models_says_that_they_are_not_at_hand(model: ModelId) -> None:
    told = Told()
    hub = Hub("somewhere", lambda: 0.0)
    hub.listen(told)
    assert hub.manifolds.of(model) is None
    told.wait()
    assert hub.manifolds.of(model) == "the files of graphene-si are not at hand"
