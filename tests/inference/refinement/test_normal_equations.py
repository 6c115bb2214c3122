from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.refinement.bound import position_bound
from inference.refinement.image_model import AtomState, Optics, splat, stamps_of
from inference.refinement.linear_system import LinearSystem
from inference.refinement.normal_equations import (
    covariance,
    information,
    thinned_information,
)

SHAPE = (120, 120)
OPTICS = Optics((2.5, 2.9), 0.0, 7.7, 0.0)
COUNTS = 500.0
WEIGHT = np.random.default_rng(3).uniform(0.5, 2.0, SHAPE).astype(np.float32)


def cluster() -> AtomState:
    rows, cols = np.mgrid[40:80:9, 40:80:9]
    rowcol = np.stack([rows, cols], axis=-1).reshape(-1, 2).astype(float)
    rowcol += np.random.default_rng(4).uniform(-0.7, 0.7, rowcol.shape)
    count = len(rowcol)
    return AtomState(rowcol, np.full(count, COUNTS), np.zeros(count, bool))


def drawn(
    rowcol: NDArray[np.float64], amplitude: NDArray[np.float64]
) -> NDArray[np.float64]:
    image = splat(stamps_of(rowcol, OPTICS), amplitude, SHAPE)
    return image.astype(np.float64)


def whole_matrix(atoms: AtomState) -> NDArray[np.float64]:
    """Fisher information from differences of drawn images, atom by atom."""
    images = []
    for number in range(len(atoms)):
        own = slice(number, number + 1)
        for shift in ([1e-2, 0.0], [0.0, 1e-2]):
            ahead = drawn(atoms.rowcol[own] + shift, atoms.amplitude[own])
            behind = drawn(atoms.rowcol[own] - shift, atoms.amplitude[own])
            images.append((ahead - behind).ravel() / 2e-2)
        images.append(drawn(atoms.rowcol[own], np.ones(1)).ravel())
    design = np.stack(images)
    return np.asarray((design * WEIGHT.ravel()) @ design.T, np.float64)


def test_uncertainties_are_those_of_the_whole_inverse_matrix() -> None:
    atoms = cluster()
    count = len(atoms)
    blocks = information(
        WEIGHT, stamps_of(atoms.rowcol, OPTICS), atoms, OPTICS, np.zeros(count)
    )
    exact = np.diag(np.linalg.inv(whole_matrix(atoms))).reshape(count, 3)
    found = np.einsum("nii->ni", covariance(blocks))
    np.testing.assert_allclose(found[:, :2], exact[:, :2], rtol=0.06)


@pytest.mark.parametrize("sigma", [(2.2, 2.2), (2.5, 2.9), (2.9, 2.6)], ids=str)
def test_every_second_pixel_tells_as_much(sigma: tuple[float, float]) -> None:
    atoms, optics = cluster(), replace(OPTICS, sigma=sigma, tail_fraction=0.15)
    rows, cols = np.indices(SHAPE, np.float32)
    weight = 1 + 0.4 * np.cos(rows / 5) * np.sin(cols / 7)
    prior = np.full(len(atoms), 1e-4)
    stamps = stamps_of(atoms.rowcol, optics)
    every = information(weight, stamps, atoms, optics, prior)
    second = thinned_information(weight, atoms, optics, prior)
    np.testing.assert_array_equal(second.pairs, every.pairs)
    for one in range(3):
        np.testing.assert_allclose(
            covariance(second)[:, one, one], covariance(every)[:, one, one], rtol=0.02
        )


def test_a_step_solves_all_atoms_together() -> None:
    atoms = cluster()
    count = len(atoms)
    blocks = information(
        WEIGHT, stamps_of(atoms.rowcol, OPTICS), atoms, OPTICS, np.zeros(count)
    )
    wanted = np.random.default_rng(5).normal(0, [0.3, 0.3, 20.0], (count, 3))
    gradient = (whole_matrix(atoms) @ wanted.ravel()).reshape(count, 3)
    step = LinearSystem.of(blocks).solve(gradient)
    np.testing.assert_allclose(step[:, :2], wanted[:, :2], atol=0.06)


@pytest.mark.parametrize("counts", [65.0, 1000.0])
def test_the_bound_of_a_lone_atom_is_that_of_counting_statistics(
    counts: float,
) -> None:
    centre = np.array([[60.0, 60.0]])
    mean = np.asarray(drawn(centre, np.array([counts])), np.float32)
    bound = position_bound(centre, np.array([counts]), OPTICS, mean + np.float32(1e-5))
    np.testing.assert_allclose(bound[0], np.square(OPTICS.sigma) / counts, rtol=0.1)
