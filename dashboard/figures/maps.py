"""The frame, and its atoms coloured by what they are, linked in pan and zoom."""

from dataclasses import dataclass

from bokeh.core.property.vectorization import Field
from bokeh.models import (
    BasicTicker,
    Circle,
    ColumnDataSource,
    CustomJS,
    CustomJSHover,
    FixedTicker,
    HoverTool,
    Image,
    LinearColorMapper,
    LinearInterpolator,
    Range1d,
    Ticker,
)
from bokeh.models.annotations import ColorBar, ScaleBar
from bokeh.models.renderers import GlyphRenderer
from bokeh.plotting import figure

from dashboard.figures import style
from dashboard.figures.area import Area
from dashboard.figures.selection import DIMMED
from dashboard.scene import ANGLE, SCORE, SIGMA, Scene, angle_period_deg
from streamer.analysis import ModelId
from streamer.atoms import SPECIES

GREYS = "Greys256"

SHOW_WHOLE = "for (const axis of axes) axis.reset()"


@dataclass(frozen=True, slots=True)
class FrameMap:
    """The frame, and what of it can be changed."""

    plot: figure
    dots: "GlyphRenderer[Circle]"
    """The atoms."""
    grey: LinearColorMapper
    """Its ends are grey levels of the picture."""
    values: LinearColorMapper
    """The same of the colour bar: its ends are values of the frame."""


def frame_map(
    image: ColumnDataSource, atoms: ColumnDataSource, scene: Scene, shown: Area
) -> FrameMap:
    """The frame in grey, its atoms as dots on top."""
    plot = empty_map(shown)
    grey = LinearColorMapper(palette=GREYS, low=0, high=255)
    plot.add_glyph(image, Image(dw="dw", dh="dh", color_mapper=grey))
    colour = species_colours(style.SPECIES_COLOURS)
    dots = plot.circle(
        "x",
        "y",
        radius=by_species(style.DOT_RADII_NM),
        fill_color=Field("species", colour),
        fill_alpha=0.8,
        line_color=None,
        nonselection_fill_alpha=DIMMED,
        muted_fill_alpha=DIMMED,
        source=atoms,
    )
    values = LinearColorMapper(palette=GREYS, low=scene.low, high=scene.high)
    add_colour_bar(plot, values, BasicTicker(desired_num_ticks=4))
    plot.add_tools(atom_hover(dots, scene.model, shown.unit))
    if shown.unit == "nm":
        plot.add_layout(scale_bar(shown.x))
    return FrameMap(plot, dots, grey, values)


def angle_map(
    atoms: ColumnDataSource, model: ModelId, shown: Area
) -> tuple[figure, LinearColorMapper]:
    """Atoms coloured by orientation, and the colours, a wheel that closes."""
    period = angle_period_deg(model)
    colour = LinearColorMapper(
        palette=style.cyclic_palette(),
        low=-period / 2,
        high=period / 2,
        nan_color=style.NO_VALUE,
    )
    plot, _ = atom_map(atoms, ANGLE, colour, model, shown)
    quarters = [period * quarter / 4 for quarter in range(-2, 3)]
    bar = add_colour_bar(plot, colour, FixedTicker(ticks=quarters))
    bar.major_label_overrides = {angle: f"{angle:g}°" for angle in quarters}
    return plot, colour


def order_map(
    atoms: ColumnDataSource, column: str, model: ModelId, shown: Area
) -> tuple[figure, "GlyphRenderer[Circle]", LinearColorMapper]:
    """Atoms coloured by a quantity, their discs, and the colours, whose ends move."""
    colour = LinearColorMapper(
        palette=style.sequential_palette(),
        nan_color=style.NO_VALUE,
    )
    plot, discs = atom_map(atoms, column, colour, model, shown)
    add_colour_bar(plot, colour, BasicTicker(desired_num_ticks=4))
    return plot, discs, colour


def empty_map(shown: Area) -> figure:
    """Axes of the sample; a double click returns to the whole frame."""
    plot = figure(
        x_range=shown.x,
        y_range=shown.y,
        x_axis_label=f"x ({shown.unit})",
        y_axis_label=f"y ({shown.unit})",
        tools="pan,wheel_zoom",
        active_scroll="wheel_zoom",
        toolbar_location=None,
        output_backend="webgl",
        sizing_mode="stretch_both",
        # Equal in all maps, so that their frames are equal squares.
        min_border_left=52,
        min_border_right=14,
        min_border_top=4,
        min_border_bottom=76,
    )
    plot.grid.visible = False
    whole = CustomJS(args={"axes": [shown.x, shown.y]}, code=SHOW_WHOLE)
    plot.js_on_event("doubletap", whole)
    return plot


def atom_map(
    atoms: ColumnDataSource,
    column: str,
    colour: LinearColorMapper,
    model: ModelId,
    shown: Area,
) -> tuple[figure, "GlyphRenderer[Circle]"]:
    """Atoms as discs coloured by `column`; Si larger, with a white rim."""
    plot = empty_map(shown)
    rim = species_colours(style.SPECIES_RIMS)
    discs = plot.circle(
        "x",
        "y",
        radius=by_species(style.DISC_RADII_NM),
        fill_color=Field(column, colour),
        line_color=Field("species", rim),
        line_width=1.2,
        nonselection_alpha=DIMMED,
        muted_alpha=DIMMED,
        source=atoms,
    )
    plot.add_tools(atom_hover(discs, model, shown.unit))
    return plot, discs


def by_species(values: tuple[float, ...]) -> Field:
    """A number for each atom that depends on its species only."""
    return Field("species", LinearInterpolator(x=list(range(len(values))), y=values))


def species_colours(colours: tuple[str, ...]) -> LinearColorMapper:
    """A colour for each species."""
    return LinearColorMapper(palette=list(colours), low=0, high=len(SPECIES) - 1)


def add_colour_bar(plot: figure, colour: LinearColorMapper, ticker: Ticker) -> ColorBar:
    """A bar below `plot`, where its labels do not make the map narrower."""
    bar = ColorBar(
        color_mapper=colour, ticker=ticker, height=8, padding=2, label_standoff=4
    )
    plot.add_layout(bar, "below")
    return bar


def scale_bar(shown: Range1d) -> ScaleBar:
    """A length of the sample, right at any zoom."""
    return ScaleBar(
        range=shown,
        unit="nm",
        location="bottom_left",
        bar_line_color=style.ON_FRAME,
        bar_line_width=3,
        label_text_color=style.ON_FRAME,
        label_text_font=style.FONT,
        label_text_font_size="12px",
        background_fill_color=style.BEHIND_ON_FRAME,
        background_fill_alpha=0.5,
        border_line_color=None,
    )


def atom_hover(atoms: "GlyphRenderer[Circle]", model: ModelId, unit: str) -> HoverTool:
    """The numbers of the atom under the pointer."""
    rows = [
        ("", "@species{custom}"),
        (f"x, y ({unit})", "@x{0.000}, @y{0.000}"),
        ("angle", f"@{ANGLE}{{0.0}}°"),
        *((name, f"@{{{name}}}{{0.00}}") for name in model.latents),
        ("score", f"@{SCORE} %"),
        ("position \N{PLUS-MINUS SIGN}", f"@{SIGMA}{{0.0}} pm"),
    ]
    names = CustomJSHover(args={"names": list(SPECIES)}, code="return names[value]")
    return HoverTool(
        renderers=[atoms],
        tooltips=rows,
        formatters={"@species": names},
        limit=1,
        show_arrow=False,
    )
