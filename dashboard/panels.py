"""All figures of a page, for the quantities of one model, and what fills them."""

from collections.abc import Mapping
from dataclasses import dataclass

from bokeh.core.property.vectorization import Field
from bokeh.model import Model
from bokeh.models import (
    Circle,
    Column,
    ColumnDataSource,
    DataRange1d,
    LayoutDOM,
    LinearColorMapper,
    Range1d,
    Row,
)
from bokeh.models.annotations import Span as Cursor
from bokeh.models.renderers import GlyphRenderer
from bokeh.models.ui import UIElement

from dashboard.choices import Choices
from dashboard.columns import (
    atom_columns,
    image_columns,
    line_columns,
    map_columns,
    now_columns,
)
from dashboard.difference import Difference
from dashboard.figures import style
from dashboard.figures.area import Area, area, follow
from dashboard.figures.difference import Layer, difference_layer
from dashboard.figures.latent_space import latent_space
from dashboard.figures.latents import cursor, heat_map, histogram
from dashboard.figures.maps import FrameMap, angle_map, frame_map, order_map
from dashboard.figures.selection import selectable_maps
from dashboard.figures.series import LINES, series
from dashboard.history import quantity_frame
from dashboard.latent_space import Plane
from dashboard.mapped import ends, mapped
from dashboard.scene import ANGLE, Extent, Scene, order_column, quantity_names
from dashboard.trend import Trend


@dataclass(frozen=True, slots=True)
class Spread:
    """How one quantity is spread over the atoms."""

    over_frames: ColumnDataSource
    now: ColumnDataSource
    values: Range1d
    """The axis that both share."""


@dataclass(frozen=True, slots=True)
class Panels:
    """The figures of one page; `show_scene` and `show_trend` keep them up to date."""

    image: ColumnDataSource
    atoms: ColumnDataSource
    """Shared by all maps, so that it travels once."""
    lines: ColumnDataSource
    spreads: Mapping[str, Spread]
    plane: Plane
    area: Area
    frame: FrameMap
    difference: Layer
    angle: LinearColorMapper
    order: LinearColorMapper
    order_discs: "GlyphRenderer[Circle]"
    """The atoms of the third map."""
    cursor: Cursor
    figures: Mapping[str, LayoutDOM]
    """By the name of the place on the page."""


def panels_key(scene: Scene) -> object:
    """What scenes must have in common to be shown by the same `Panels`."""
    return quantity_frame(scene.model), scene.extent.unit


def panels(scene: Scene, trend: Trend) -> Panels:
    """Figures for the quantities of `scene`, showing it and `trend`."""
    model, shown = scene.model, area(scene.extent)
    image = ColumnDataSource(image_columns(scene))
    atoms = ColumnDataSource(atom_columns(scene))
    lines = ColumnDataSource(line_columns(trend))
    spreads = {name: spread(name, scene, trend) for name in quantity_names(model)}
    frames, mark = DataRange1d(range_padding=0), cursor(scene.seq)
    frame = frame_map(image, atoms, scene, shown)
    by_angle, angle = angle_map(atoms, model, shown)
    by_order, discs, order = order_map(atoms, order_column(model), model, shown)
    ranges = {name: each.values for name, each in spreads.items()}
    outline = selectable_maps([frame.plot, by_angle, by_order])
    plane = latent_space(model, atoms, ranges, outline)
    difference = difference_layer(frame.plot)
    figures = {
        "frame-map": frame.plot,
        "angle-map": by_angle,
        "order-map": by_order,
        "latent-space": plane.figure,
        "spreads": spread_row(spreads, frames, mark),
        "series": series_stack(lines, frames, mark),
    }
    return Panels(
        image=image,
        atoms=atoms,
        lines=lines,
        spreads=spreads,
        plane=plane,
        area=shown,
        frame=frame,
        difference=difference,
        angle=angle,
        order=order,
        order_discs=discs,
        cursor=mark,
        figures=figures,
    )


def handles(panels: Panels) -> dict[str, Model]:
    """What the browser changes by itself; `PageState.handles`."""
    return {
        "image": panels.image,
        "grey": panels.frame.grey,
        "grey-values": panels.frame.values,
        "angle": panels.angle,
        "order": panels.order,
    }


def spread(name: str, scene: Scene, trend: Trend) -> Spread:
    """The sources of one quantity, and their range."""
    seen = trend.seen[name]
    return Spread(
        over_frames=ColumnDataSource(map_columns(trend, name)),
        now=ColumnDataSource(now_columns(scene, name, trend.bins[name])),
        values=Range1d(start=seen.low, end=seen.high),
    )


def spread_row(
    spreads: Mapping[str, Spread], frames: DataRange1d, mark: Cursor
) -> LayoutDOM:
    """For each quantity a heat map over the frames, and the present beside it."""
    pairs: list[UIElement] = []
    for name, each in spreads.items():
        label = "angle (°)" if name == ANGLE else name
        over_frames = heat_map(each.over_frames, label, each.values, frames)
        over_frames.add_layout(mark)
        now = histogram(each.now, each.values)
        pairs.append(Row(children=[over_frames, now], sizing_mode="stretch_both"))
    return Row(children=pairs, sizing_mode="stretch_both", spacing=10)


def series_stack(
    lines: ColumnDataSource, frames: DataRange1d, mark: Cursor
) -> LayoutDOM:
    """Small plots, one above the other, with the frames in common."""
    plots: list[UIElement] = []
    for line in LINES:
        plot = series(lines, line, frames, last=line is LINES[-1])
        plot.add_layout(mark)
        plots.append(plot)
    return Column(children=plots, sizing_mode="stretch_both")


def show_scene(panels: Panels, scene: Scene, old: Extent) -> None:
    """Put another frame in the maps of atoms; `old` is where the last one lay."""
    follow(panels.area, old, scene.extent)
    panels.atoms.data = dict(atom_columns(scene))
    panels.cursor.location = scene.seq


def show_picture(panels: Panels, scene: Scene, change: Difference | None) -> None:
    """Put another frame in its own map; if there is a `change`, that instead."""
    if change is not None:
        panels.difference.show(scene, change)
        return
    panels.difference.hide()
    panels.image.data = dict(image_columns(scene))
    panels.frame.values.update(low=scene.low, high=scene.high)


def show_mapped(panels: Panels, scene: Scene, trend: Trend, choices: Choices) -> None:
    """Colour the third map by the quantity that the viewer chose.

    To be called for each scene and not for each trend: the colours of a frame that is
    held stay.
    """
    column = mapped(scene, choices)
    span = ends(column, trend)
    panels.order.update(low=span.low, high=span.high)
    panels.order_discs.glyph.fill_color = Field(column, panels.order)


def show_now(panels: Panels, scene: Scene, trend: Trend) -> None:
    """Put another frame in the histograms, or the same in other bins."""
    for name, each in panels.spreads.items():
        each.now.data = dict(now_columns(scene, name, trend.bins[name]))


def show_trend(panels: Panels, trend: Trend) -> None:
    """Put more frames in the plots over frames, and in the ranges of all plots."""
    panels.lines.data = dict(line_columns(trend))
    for name, each in panels.spreads.items():
        each.over_frames.data = dict(map_columns(trend, name))
        each.values.update(start=trend.seen[name].low, end=trend.seen[name].high)


def apply_choices(panels: Panels, choices: Choices) -> None:
    """Draw as the viewer chose."""
    panels.frame.dots.visible = choices.dots
    # Twice the colours in one period: angles half of it apart look the same.
    panels.angle.palette = style.cyclic_palette() * (2 if choices.folded else 1)
