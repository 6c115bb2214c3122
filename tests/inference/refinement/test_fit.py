"""What a fit says of what it cannot know."""

import numpy as np

from inference.refinement.fit import _honest
from inference.refinement.image_model import Optics


def test_an_atom_that_could_be_anywhere_has_no_finite_uncertainty() -> None:
    optics = Optics((2.0, 2.0), 0.0, 8.0, 0.0)
    variance = np.array([[4.0, 0.04], [1e200, 1e-9], [0.0, -1.0]])
    honest = _honest(variance, optics)
    np.testing.assert_allclose(honest[0], [8.0, 0.0404])
    assert honest[1, 0] == np.inf
    assert np.isinf(honest[2]).all()
