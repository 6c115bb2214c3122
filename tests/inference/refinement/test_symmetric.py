import numpy as np

from inference.refinement.symmetric import inverses


def test_inverses_are_those_of_linear_algebra() -> None:
    factors = np.random.default_rng(2).normal(size=(200, 3, 3))
    matrices = factors @ factors.transpose(0, 2, 1) + 0.1 * np.eye(3)
    np.testing.assert_allclose(
        inverses(matrices), np.linalg.inv(matrices), rtol=1e-8, atol=1e-9
    )


def test_a_singular_matrix_has_no_inverse_and_spoils_no_other() -> None:
    matrices = np.stack([np.eye(3), np.ones((3, 3)), 2 * np.eye(3)])
    found = inverses(matrices)
    np.testing.assert_array_equal(found[[0, 2]], [np.eye(3), np.eye(3) / 2])
    assert not np.isfinite(found[1]).any()
