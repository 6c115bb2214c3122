"""The layer of the frame's map that shows what has changed since another frame."""

from dataclasses import dataclass

from bokeh.models import BasicTicker, ColumnDataSource, Image, LinearColorMapper
from bokeh.models.annotations import ColorBar
from bokeh.models.renderers import Renderer
from bokeh.plotting import figure

from dashboard.columns import no_image
from dashboard.difference import ZERO, Difference
from dashboard.figures.maps import add_colour_bar
from dashboard.figures.palettes import palette
from dashboard.scene import Scene


@dataclass(frozen=True, slots=True)
class Layer:
    """Takes the place of the frame and its colour bar while it shows something."""

    source: ColumnDataSource
    values: LinearColorMapper
    """Its ends are the changes that have the first and the last colour."""
    instead: tuple[Renderer | ColorBar, ...]
    """What is seen when this is not."""
    own: tuple[Renderer | ColorBar, ...]

    def show(self, scene: Scene, change: Difference) -> None:
        """Show `change`, which lies where `scene` does."""
        where = scene.extent
        self.source.data = {
            "image": [change.image],
            "x": [where.left],
            "y": [where.top],
            "dw": [where.width],
            "dh": [change.height],
        }
        self.values.update(low=-change.limit, high=change.limit)
        self._appear(own=True)

    def hide(self) -> None:
        """Show the frame."""
        if self.source.data["image"]:
            self.source.data = dict(no_image())
        self._appear(own=False)

    def _appear(self, *, own: bool) -> None:
        for part in self.own:
            part.visible = own
        for part in self.instead:
            part.visible = not own


def difference_layer(plot: figure) -> Layer:
    """A layer on the frame's map `plot`, over its image and under its atoms."""
    frame = plot.renderers[0]
    bars = [each for each in plot.below if isinstance(each, ColorBar)]
    source = ColumnDataSource(dict(no_image()))
    palette = diverging_palette()
    colour = LinearColorMapper(palette=palette, low=0, high=2 * ZERO)
    image = plot.add_glyph(
        source, Image(dw="dw", dh="dh", color_mapper=colour), level="image"
    )
    image.visible = False
    values = LinearColorMapper(palette=palette, low=-1, high=1)
    bar = add_colour_bar(plot, values, BasicTicker(desired_num_ticks=4))
    bar.visible = False
    return Layer(source, values, instead=(frame, *bars), own=(image, bar))


def diverging_palette() -> list[str]:
    """255 colours, dark in the middle, blue below and yellow above.

    Peter Kovesi's CET-D6, https://arxiv.org/abs/1509.03700.
    """
    colours = list(palette("diverging_bky_60_10_c30"))
    # An odd number, so that one of them is the middle.
    return colours[:127] + colours[128:]
