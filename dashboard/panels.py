"""All figures of a page, for the quantities of one model, and what fills them."""

from collections.abc import Mapping
from dataclasses import dataclass

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
from dashboard.figures.latents import cursor, heat_map, histogram
from dashboard.figures.maps import angle_map, frame_map, order_map
from dashboard.figures.series import LINES, series
from dashboard.history import quantity_frame
from dashboard.scene import ANGLE, SCORE, Extent, Scene, order_column, quantity_names
from dashboard.trend import Trend
from streamer.analysis import ModelId


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
    area: Area
    dots: "GlyphRenderer[Circle]"
    """The atoms on the frame."""
    grey: LinearColorMapper
    """Its ends are the values that the frame shows as black and white."""
    difference: Layer
    angle: LinearColorMapper
    order: LinearColorMapper
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
    frame, dots, grey = frame_map(image, atoms, scene, shown)
    by_angle, angle = angle_map(atoms, model, shown)
    by_order, order = order_map(atoms, order_column(model), model, shown)
    order.update(**order_ends(model, trend))
    difference = difference_layer(frame)
    figures = {
        "frame-map": frame,
        "angle-map": by_angle,
        "order-map": by_order,
        "spreads": spread_row(spreads, frames, mark),
        "series": series_stack(lines, frames, mark),
    }
    return Panels(
        image=image,
        atoms=atoms,
        lines=lines,
        spreads=spreads,
        area=shown,
        dots=dots,
        grey=grey,
        difference=difference,
        angle=angle,
        order=order,
        cursor=mark,
        figures=figures,
    )


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


def order_ends(model: ModelId, trend: Trend) -> dict[str, float]:
    """The values that have the first and the last colour in the order map."""
    column = order_column(model)
    if column == SCORE:
        return {"low": 0.0, "high": 100.0}
    usual = trend.usual[column]
    return {"low": usual.low, "high": usual.high}


def show_scene(panels: Panels, scene: Scene, trend: Trend, old: Extent) -> None:
    """Put another frame in the maps of atoms; `old` is where the last one lay.

    Colours are fitted here and not with each trend: a frame that is held keeps its own.
    """
    follow(panels.area, old, scene.extent)
    panels.atoms.data = dict(atom_columns(scene))
    panels.order.update(**order_ends(scene.model, trend))
    panels.cursor.location = scene.seq


def show_picture(panels: Panels, scene: Scene, change: Difference | None) -> None:
    """Put another frame in its own map; if there is a `change`, that instead."""
    if change is not None:
        panels.difference.show(scene, change)
        return
    panels.difference.hide()
    panels.image.data = dict(image_columns(scene))
    panels.grey.update(low=scene.low, high=scene.high)


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
    panels.dots.visible = choices.dots
    # Twice the colours in one period: angles half of it apart look the same.
    panels.angle.palette = style.cyclic_palette() * (2 if choices.folded else 1)
