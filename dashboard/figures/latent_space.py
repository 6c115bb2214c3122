"""Atoms over the plane of two latents, in front of what the decoder draws there."""

from collections.abc import Mapping

from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    CustomJS,
    Image,
    LinearColorMapper,
    Range1d,
)
from bokeh.plotting import figure

from dashboard.columns import no_image
from dashboard.figures import style
from dashboard.figures.selection import DIMMED, selectable
from dashboard.latent_space import (
    LatentSpace,
    Plane,
    axis_names,
    empty_density,
    usual_axes,
)
from streamer.analysis import ModelId

SHOW_ALL = "document.dispatchEvent(new CustomEvent('latent-space-reset'))"


def latent_space(
    model: ModelId,
    atoms: ColumnDataSource,
    ranges: Mapping[str, Range1d],
    sample_outline: ColumnDataSource,
) -> Plane:
    """The plane of a model's latents, its plot empty until a browser fills it.

    Parameters
    ----------
    ranges
        By quantity, from where to where it is shown.
    sample_outline
        Of a region of the sample.
    """
    plot = empty_plane()
    manifold = ColumnDataSource(dict(no_image()))
    density = ColumnDataSource(dict(empty_density()))
    points = ColumnDataSource({"x": [], "y": []})
    outline = ColumnDataSource({"x": [], "y": []})
    grey = LinearColorMapper(palette=style.dim_palette(), low=0, high=255)
    plot.add_glyph(manifold, Image(dw="dw", dh="dh", color_mapper=grey))
    clear = LinearColorMapper(palette=style.veil_palette(), low=0, high=255)
    plot.add_glyph(density, Image(dw="dw", dh="dh", color_mapper=clear))
    plot.scatter(
        "x",
        "y",
        source=points,
        size=2,
        color=style.CURSOR,
        line_color=None,
        fill_alpha=0.2,
        selection_fill_color=style.SELECTED,
        selection_fill_alpha=0.9,
        nonselection_fill_alpha=DIMMED,
        muted_fill_alpha=DIMMED,
    )
    selectable(plot, "latent", outline)
    mirrored = LatentSpace(
        names=axis_names(model),
        axes=list(usual_axes(model)),
        ranges=dict(ranges),
        plot=plot,
        axis_lines=[plot.xaxis[0], plot.yaxis[0]],
        atoms=atoms,
        points=points,
        density=density,
        outline=outline,
        sample_outline=sample_outline,
        manifold=manifold,
    )
    return Plane(mirrored, plot, manifold)


def empty_plane() -> figure:
    """Axes that the browser names; a double click shows all of the plane."""
    plot = figure(
        x_range=Range1d(start=0, end=1),
        y_range=Range1d(start=0, end=1),
        tools="pan,wheel_zoom",
        active_scroll="wheel_zoom",
        toolbar_location=None,
        output_backend="webgl",
        sizing_mode="stretch_both",
        min_border_left=46,
        min_border_right=8,
        min_border_top=4,
    )
    plot.grid.visible = False
    for axis in (*plot.xaxis, *plot.yaxis):
        axis.ticker = BasicTicker(desired_num_ticks=4)
    plot.js_on_event("doubletap", CustomJS(code=SHOW_ALL))
    return plot
