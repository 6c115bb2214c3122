"""Figures by what they are made of; what they look like is for the browser tests."""

from collections.abc import Callable

import pytest
from bokeh.models import ColumnDataSource, Plot
from bokeh.models.annotations import ColorBar, ScaleBar

from dashboard.columns import atom_columns, image_columns
from dashboard.figures import style
from dashboard.figures.area import Area, area
from dashboard.figures.maps import FrameMap, angle_map, frame_map
from dashboard.history import begun
from dashboard.scene import Extent, Scene
from streamer.analysis import Analysis

type Movie = Callable[[int], Analysis]


@pytest.fixture
def scene(movie: Movie) -> Scene:
    return begun(movie(40)).newest


def parts(plot: Plot, kind: type) -> list:
    return [model for model in plot.references() if isinstance(model, kind)]


def test_the_colours_of_angles_end_where_they_begin() -> None:
    first, last = (
        [int(style.cyclic_palette()[i][k : k + 2], 16) for k in (1, 3, 5)]
        for i in (0, -1)
    )
    assert max(abs(a - b) for a, b in zip(first, last, strict=True)) <= 8


def test_no_two_colours_are_the_same_in_the_light_theme() -> None:
    light = style.light_colours()
    assert len(set(light.values())) == len(light)
    assert set(light) & set(light.values()) <= {style.NOTHING}


def test_colours_that_stand_for_values_are_the_same_in_both_themes() -> None:
    palettes = (style.cyclic_palette(), style.sequential_palette())
    light = style.light_colours()
    assert not any(set(palette) <= set(light) for palette in palettes)
    assert set(style.density_palette()) <= set(light)


def test_the_scale_bar_and_axes_are_in_nanometres(scene: Scene) -> None:
    plot = frame(scene, area(scene.extent)).plot
    assert [bar.unit for bar in parts(plot, ScaleBar)] == ["nm"]
    assert [axis.axis_label for axis in plot.xaxis + plot.yaxis] == ["x (nm)", "y (nm)"]


def test_without_calibration_axes_are_in_pixels_and_there_is_no_scale_bar(
    scene: Scene,
) -> None:
    plot = frame(scene, area(Extent(-0.5, -0.5, 192, 192, "px"))).plot
    assert parts(plot, ScaleBar) == []
    assert [axis.axis_label for axis in plot.xaxis + plot.yaxis] == ["x (px)", "y (px)"]


def test_the_bar_of_angles_is_labelled_in_degrees_over_the_period(
    scene: Scene,
) -> None:
    plot, colours = angle_map(
        ColumnDataSource(dict(atom_columns(scene))), scene.model, area(scene.extent)
    )
    (bar,) = parts(plot, ColorBar)
    assert bar.color_mapper is colours
    labels = bar.major_label_overrides
    assert [labels[tick] for tick in bar.ticker.ticks] == [
        "-60°", "-30°", "0°", "30°", "60°",
    ]  # fmt: skip


def test_the_bar_of_the_frame_is_labelled_with_its_values(scene: Scene) -> None:
    shown = frame(scene, area(scene.extent))
    (bar,) = parts(shown.plot, ColorBar)
    assert bar.color_mapper is shown.values
    assert (shown.values.low, shown.values.high) == (scene.low, scene.high)
    (image, *_) = shown.plot.renderers
    assert image.glyph.color_mapper is shown.grey
    assert (shown.grey.low, shown.grey.high) == (0, 255)


@pytest.mark.parametrize(
    ("extent", "x", "y"),
    [
        (Extent(0, 0, 4, 4, "nm"), (0, 4), (4, 0)),
        (Extent(10, 20, 4, 2, "nm"), (10, 14), (23, 19)),
        (Extent(0, 0, 1, 3, "nm"), (-1, 2), (3, 0)),
    ],
    ids=["square", "wide", "tall"],
)
def test_a_frame_of_any_shape_is_shown_whole_and_undistorted(
    extent: Extent, x: tuple[float, float], y: tuple[float, float]
) -> None:
    shown = area(extent)
    assert (shown.x.start, shown.x.end) == x
    assert (shown.y.start, shown.y.end) == y


def frame(scene: Scene, shown: Area) -> FrameMap:
    image = ColumnDataSource(dict(image_columns(scene)))
    atoms = ColumnDataSource(dict(atom_columns(scene)))
    return frame_map(image, atoms, scene, shown)
