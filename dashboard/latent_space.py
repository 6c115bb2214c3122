"""The plane of two latents: what the browser needs to draw it by itself."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from bokeh.core.properties import Dict, Instance, List, String
from bokeh.model import DataModel
from bokeh.models import ColumnDataSource, LinearAxis, Plot, Range1d

from dashboard.columns import no_image
from dashboard.manifold import Manifold
from dashboard.scene import ANGLE, quantity_names
from streamer.analysis import ModelId

DENSITY_BINS = 64
"""Along each axis."""

ASKING = "the decoder has not answered yet"

USUAL_AXES = ("z1", "z2")
"""The names that most models give to latents of which nobody knows the meaning."""


class LatentSpace(DataModel):
    """Mirrored in the browser, which fills all but `atoms` and `manifold`.

    Any two quantities can be its axes. The browser has their values already, so that
    it takes other axes, counts atoms and tells who lies where without asking.
    """

    names = Dict(String, String)
    """By quantity, what to call it, in the order in which axes are offered."""
    axes = List(String)
    """Two of them to begin with; empty where a model gives no latent."""
    ranges = Dict(String, Instance(Range1d))
    """By quantity, from where to where it is shown; the heat maps' own."""
    plot = Instance(Plot)
    axis_lines = List(Instance(LinearAxis))
    """That of x, that of y: they say what is shown."""
    atoms = Instance(ColumnDataSource)
    """That of the maps."""
    points = Instance(ColumnDataSource)
    """x and y: two columns of `atoms`, in the same order."""
    density = Instance(ColumnDataSource)
    """How many atoms are where, as an image."""
    outline = Instance(ColumnDataSource)
    """x and y: corners of a region of this plane."""
    sample_outline = Instance(ColumnDataSource)
    """x and y: corners of a region of the sample, drawn in all maps."""
    manifold = Instance(ColumnDataSource)
    """What the decoder draws, as an image; without rows as long as there is none."""
    manifold_axes = List(String)
    """The latents over which it is drawn."""
    manifold_model = String(default="")
    """SHA-256 of the model whose decoder drew it, or turned out to draw nothing."""
    no_manifold = String(default=ASKING)
    """Why there is none."""


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane as the server has it."""

    mirrored: LatentSpace
    figure: Plot
    manifold: ColumnDataSource


def axis_names(model: ModelId) -> dict[str, str]:
    """By quantity, what to call it: latents first."""
    names = {name: name for name in quantity_names(model) if name != ANGLE}
    return {**names, ANGLE: "angle (°)"}


def usual_axes(model: ModelId) -> tuple[str, ...]:
    """The two quantities that span the plane unless a viewer wants others.

    One latent is shown against the angle; without any there is no plane.
    """
    latents = [name for name in quantity_names(model) if name != ANGLE]
    if set(USUAL_AXES) <= set(latents):
        return USUAL_AXES
    return tuple([*latents, ANGLE][:2]) if latents else ()


def empty_density() -> Mapping[str, object]:
    """An image for the browser to fill."""
    image = np.zeros((DENSITY_BINS, DENSITY_BINS), np.uint8)
    return {"image": [image], "x": [0.0], "y": [0.0], "dw": [1.0], "dh": [1.0]}


def show_manifold(plane: Plane, model: ModelId, drawn: Manifold | str | None) -> None:
    """Put what the decoder of `model` draws behind the atoms, or say why nothing is.

    `drawn` is None as long as that is not known.
    """
    space = plane.mirrored
    if space.manifold_model == ("" if drawn is None else model.sha256):
        return
    axes, reason = [], ASKING if drawn is None else str(drawn)
    if isinstance(drawn, Manifold):
        plane.manifold.data = dict(manifold_columns(drawn))
        axes, reason = list(drawn.latents), ""
    elif plane.manifold.data["image"]:
        plane.manifold.data = dict(no_image())
    space.update(manifold_axes=axes, no_manifold=reason)
    # Last: then the browser looks at the rest.
    space.update(manifold_model="" if drawn is None else model.sha256)


def manifold_columns(drawn: Manifold) -> Mapping[str, object]:
    """The picture, placed where its latents lie."""
    return {
        "image": [drawn.image],
        "x": [drawn.x[0]],
        "y": [drawn.y[0]],
        "dw": [drawn.x[1] - drawn.x[0]],
        "dh": [drawn.y[1] - drawn.y[0]],
    }
