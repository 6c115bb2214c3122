"""All figures of a page, for the quantities of one model, and what fills them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bokeh.core.property.vectorization import Field
from bokeh.model import Model
from bokeh.models import (
    Circle,
    Column,
    ColumnDataSource,
    LayoutDOM,
    LinearColorMapper,
    Range1d,
    Row,
)
from bokeh.models.renderers import GlyphRenderer
from bokeh.models.ui import UIElement
from bokeh.plotting import figure

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
from dashboard.figures.latents import heat_map, histogram
from dashboard.figures.maps import FrameMap, angle_map, frame_map, order_map
from dashboard.figures.over_time import OverTime, label_axis
from dashboard.figures.selection import selectable_maps
from dashboard.figures.series import LINES, series
from dashboard.history import quantity_frame
from dashboard.latent_space import Plane
from dashboard.mapped import ends, mapped
from dashboard.ranges import Key, Ranges
from dashboard.scene import ANGLE, Extent, Scene, order_column, quantity_names
from dashboard.trend import Trend

HEAT_MAP_TICKS, SERIES_TICKS = 3, 6
"""Labels that an axis has room for, about."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How one quantity is spread over the atoms."""

    over_time: ColumnDataSource
    now: ColumnDataSource


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
    ranges: Mapping[Key, Range1d]
    """Of the values in plots over time, and of the histograms beside them."""
    over_time: tuple[figure, ...]
    """All plots over time."""
    figures: Mapping[str, LayoutDOM]
    """By the name of the place on the page."""


def panels_key(scene: Scene) -> object:
    """What scenes must have in common to be shown by the same `Panels`."""
    return quantity_frame(scene.model), scene.extent.unit


def panels(scene: Scene, trend: Trend, over: OverTime) -> Panels:
    """Figures for the quantities of `scene`, showing it and `trend`."""
    model, shown = scene.model, area(scene.extent)
    image = ColumnDataSource(image_columns(scene))
    atoms = ColumnDataSource(atom_columns(scene))
    lines = ColumnDataSource(line_columns(trend))
    spreads = {name: spread(name, scene, trend) for name in quantity_names(model)}
    frame = frame_map(image, atoms, scene, shown)
    ranges = value_ranges(spreads)
    heat_maps, spread_row = spread_plots(spreads, ranges, over)
    stack = series_stack(lines, ranges, over)
    by_angle, angle = angle_map(atoms, model, shown)
    by_order, discs, order = order_map(atoms, order_column(model), model, shown)
    values = {name: ranges[Key("values", name)] for name in spreads}
    outline = selectable_maps([frame.plot, by_angle, by_order])
    plane = latent_space(model, atoms, values, outline)
    difference = difference_layer(frame.plot)
    figures = {
        "frame-map": frame.plot,
        "angle-map": by_angle,
        "order-map": by_order,
        "latent-space": plane.figure,
        "spreads": spread_row,
        "series": Column(children=list(stack), sizing_mode="stretch_both"),
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
        ranges=ranges,
        over_time=(*heat_maps, *stack),
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
        "dots": panels.frame.dots,
        "map-x": panels.area.x,
        "map-y": panels.area.y,
    }


def spread(name: str, scene: Scene, trend: Trend) -> Spread:
    """The sources of one quantity."""
    return Spread(
        over_time=ColumnDataSource(map_columns(trend, name)),
        now=ColumnDataSource(now_columns(scene, name, trend.bins[name])),
    )


def value_ranges(quantities: Iterable[str]) -> dict[Key, Range1d]:
    """An axis for each thing that has one; `show_ranges` says from where to where."""
    keys = [Key(kind, name) for name in quantities for kind in ("values", "shares")]
    return {key: Range1d() for key in (*keys, *(Key("line", n.column) for n in LINES))}


def spread_plots(
    spreads: Mapping[str, Spread], ranges: Mapping[Key, Range1d], over: OverTime
) -> tuple[tuple[figure, ...], LayoutDOM]:
    """For each quantity a heat map over time, and all of them beside the present."""
    pairs: list[UIElement] = []
    heat_maps = []
    for name, each in spreads.items():
        label = "angle (°)" if name == ANGLE else name
        values, shares = ranges[Key("values", name)], ranges[Key("shares", name)]
        over_time = heat_map(each.over_time, label, values, over)
        now = histogram(each.now, values, shares)
        pairs.append(Row(children=[over_time, now], sizing_mode="stretch_both"))
        heat_maps.append(over_time)
    row = Row(children=pairs, sizing_mode="stretch_both", spacing=4)
    return tuple(heat_maps), row


def series_stack(
    lines: ColumnDataSource, ranges: Mapping[Key, Range1d], over: OverTime
) -> tuple[figure, ...]:
    """Small plots, to be put one above the other."""
    return tuple(
        series(
            lines, line, ranges[Key("line", line.column)], over, last=line is LINES[-1]
        )
        for line in LINES
    )


def show_scene(panels: Panels, scene: Scene, old: Extent) -> None:
    """Put another frame in the maps of atoms; `old` is where the last one lay."""
    follow(panels.area, old, scene.extent)
    panels.atoms.data = dict(atom_columns(scene))


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
    """Put more frames in the plots over time, or the same over another axis."""
    panels.lines.data = dict(line_columns(trend))
    for name, each in panels.spreads.items():
        each.over_time.data = dict(map_columns(trend, name))


def show_ruler(panels: Panels, trend: Trend) -> None:
    """Say over what plots are drawn."""
    *heat_maps, last = (plot for plot in panels.over_time if plot.xaxis[0].visible)
    for plot in heat_maps:
        label_axis(plot, trend.ruler, trend.ruler.short_title, HEAT_MAP_TICKS)
    label_axis(last, trend.ruler, trend.ruler.title, SERIES_TICKS)


def show_ranges(panels: Panels, ranges: Ranges) -> None:
    """Let the axes of values reach from where to where `ranges` say."""
    for key, axis in panels.ranges.items():
        span = ranges.spans.get(key)
        if span is not None and (span.low, span.high) != (axis.start, axis.end):
            axis.update(start=span.low, end=span.high)


def apply_choices(panels: Panels, choices: Choices) -> None:
    """Draw as the viewer chose."""
    panels.frame.dots.visible = choices.dots
    # Twice the colours in one period: angles half of it apart look the same.
    panels.angle.palette = style.cyclic_palette() * (2 if choices.folded else 1)
