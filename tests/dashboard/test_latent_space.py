"""Which plane of latents a page begins with."""

import pytest

from dashboard.latent_space import axis_names, usual_axes
from streamer.analysis import ModelId


@pytest.mark.parametrize(
    ("latents", "axes"),
    [
        (("crystallinity", "z1", "z2"), ("z1", "z2")),
        (("z2", "z1", "crystallinity"), ("z1", "z2")),
        (("crystallinity", "z2", "dx", "dy"), ("crystallinity", "z2")),
        (("z1",), ("z1", "angle_deg")),
        (("angle_deg",), ()),
        ((), ()),
    ],
    ids=str,
)
def test_the_plane_is_of_z1_and_z2_else_of_the_first_two(
    latents: tuple[str, ...], axes: tuple[str, ...]
) -> None:
    model = ModelId("m", "0" * 64, latents, 2.0)
    assert usual_axes(model) == axes
    assert set(axes) <= set(axis_names(model))
