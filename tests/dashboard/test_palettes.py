"""The colours in our file are those of the package that it was made of."""

import colorcet
import numpy as np
import pytest

from dashboard.figures.palettes import palette


@pytest.mark.parametrize(
    "name",
    ["cyclic_rygcbmr_50_90_c64", "linear_bmy_10_95_c71", "diverging_bky_60_10_c30"],
)
def test_palettes_are_kovesis(name: str) -> None:
    mine = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in palette(name)]
    np.testing.assert_allclose(
        mine, 255 * np.array(getattr(colorcet, name)), atol=0.5 + 1e-9
    )
