"""Turned copies of one pattern: who takes rotation out, who takes it for content."""

import math

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("skimage")

from inference.paper_methods.class_images import likeness
from inference.paper_methods.method import Method
from inference.paper_methods.mixture import COMPONENTS, FEWEST_EACH, fit_mixture
from inference.paper_methods.study import (
    FEWEST,
    HELD_OUT,
    MANIFOLD_STEPS,
    held_out_of,
    study,
)
from inference.paper_methods.sub_images import INSIDE, SubImages
from inference.paper_methods.told import Told
from inference.paper_methods.window_size import SIDE_PX
from tests.inference.paper_methods.drawing import three_spots, turned_copies

COUNT = 600


def taking_rotation_out(images: SubImages) -> Told:
    """Order as content, and the angle beside it."""
    noise = np.random.default_rng(1).normal(size=len(images))
    content = np.stack([images.order, noise], axis=1)
    return Told(content, images.angle_rad + 0.5)


def keeping_it(images: SubImages) -> Told:
    """Cos and sin of the angle: the two best principal components."""
    phase = 3 * images.angle_rad
    return Told(np.stack([np.cos(phase), np.sin(phase)], axis=1))


def method_of(tell: object) -> Method:
    assert callable(tell)

    def draw(firsts: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        return np.ones((len(seconds), len(firsts), SIDE_PX, SIDE_PX), np.float32)

    return Method(
        "drawn", "nothing", tell, lambda _, told: told.content[:, :2], ("a", "b"), draw
    )


def test_classes_of_a_method_that_keeps_rotation_are_turned_copies() -> None:
    images = turned_copies(COUNT)
    held_out = held_out_of(COUNT, 1)
    found = study(method_of(keeping_it), "small", images, held_out, 1)
    assert found.figures.rotation_leak > 0.95
    assert found.figures.class_similarity < 0.75
    assert found.figures.class_similarity_turned > 0.9
    assert math.isnan(found.figures.angle_deg)


def test_a_method_that_takes_it_out_sees_one_image() -> None:
    images = turned_copies(COUNT)
    held_out = held_out_of(COUNT, 1)
    found = study(method_of(taking_rotation_out), "small", images, held_out, 1)
    assert abs(found.figures.rotation_leak) < 0.1
    assert found.figures.class_similarity > 0.9
    assert found.figures.order_spearman == pytest.approx(1)
    # Its angles count from elsewhere: that is no error.
    assert found.figures.angle_deg == pytest.approx(0, abs=0.01)
    assert found.shares.sum() == pytest.approx(1)
    assert found.manifold is not None
    assert found.manifold.images.shape[:2] == (MANIFOLD_STEPS, MANIFOLD_STEPS)


def test_what_was_fitted_is_not_measured() -> None:
    """What a method tells of the rest is wrong: only that must count."""
    images, held_out = turned_copies(COUNT), held_out_of(COUNT, 1)
    assert held_out.mean() == pytest.approx(HELD_OUT, abs=0.01)
    right = keeping_it(images).content
    wrong = np.random.default_rng(2).normal(size=right.shape)
    content = np.where(held_out[:, None], wrong, right)
    found = study(method_of(lambda _: Told(content)), "small", images, held_out, 1)
    assert found.figures.rotation_leak < 0.1


def test_a_mixture_tells_sublattices_apart_and_calls_them_classes() -> None:
    images, held_out = turned_copies(COUNT, sublattices=True), held_out_of(COUNT, 1)
    mixture = fit_mixture(images, ~held_out, 1)
    found = study(mixture, "small", images, held_out, 1)
    assert found.figures.rotation_leak > 0.9
    assert mixture.parts is not None
    assert len(mixture.parts) == COMPONENTS
    copy = found.turned_copy
    assert copy is not None
    assert copy.likeness.as_they_are < 0.5
    assert copy.likeness.turned > 0.95
    assert copy.likeness.turn_deg % 120 == 60
    assert mixture.parts.mean() == pytest.approx(images.windows.mean(), rel=0.05)


@pytest.mark.parametrize("count", [FEWEST, FEWEST_EACH * COMPONENTS - 8])
def test_of_few_sub_images_there_are_fewer_components(count: int) -> None:
    images, held_out = turned_copies(count), held_out_of(count, 1)
    mixture = fit_mixture(images, ~held_out, 1)
    assert mixture.parts is not None
    assert len(mixture.parts) == (count - held_out.sum()) // FEWEST_EACH < COMPONENTS
    assert np.isfinite(study(mixture, "small", images, held_out, 1).classes).all()


@pytest.mark.parametrize("turn_deg", [15, 60, 100])
def test_an_image_that_was_turned_is_found_out(turn_deg: int) -> None:
    first, other = three_spots(np.radians([0.0, turn_deg]))
    found = likeness(first, other, INSIDE, 1.0)
    assert found.turned > 0.97 > found.as_they_are
    assert (found.turn_deg - turn_deg) % 120 == 0
