"""Latent space in the browser: its plane, regions drawn by hand, files taken away."""

import io
import runpy
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image

from dashboard.hub import Hub
from dashboard.manifold import Manifold
from dashboard.server import Dashboard
from dashboard.snapshot import LinkState
from streamer.analysis import Analysis, ModelId
from streamer.atoms import Atoms

if TYPE_CHECKING:
    from conftest import Screen

type Movie = Callable[[int], Analysis]

pytestmark = pytest.mark.browser

SAMPLE, LATENT = 0, 3
"""Numbers of the figures: the frame with its atoms, and the plane of latents."""

ON_SCREEN = """([number, points]) => {
  const {plots} = Bokeh.documents[0].get_model_by_name("state")
  const find = (view) => {
    if (view.model == plots[number]) return view
    for (const child of view.child_views ?? []) {
      const found = find(child)
      if (found) return found
    }
  }
  const view = Object.values(Bokeh.index).map(find).find((view) => view)
  const {left, top} = view.el.getBoundingClientRect()
  const {x_scale, y_scale} = view.frame
  return points.map(([x, y]) => [left + x_scale.compute(x), top + y_scale.compute(y)])
}"""

LIT = """() => {
  const {latent_space: {atoms, points}} =
    Bokeh.documents[0].get_model_by_name("state")
  return [atoms, points].map((source) => [...source.selected.indices])
}"""

DRAWING = Manifold(
    ("z1", "z2"),
    np.repeat(np.repeat(np.uint8([[0, 250], [120, 60]]), 8, axis=0), 8, axis=1),
    (-2.0, 2.0),
    (-2.0, 2.0),
)
"""Two by two images: dark at (-1, -1), light at (1, -1), medium at (-1, 1)."""


def draw(model: ModelId) -> Manifold:
    assert model.name == "graphene-si"
    return DRAWING


@pytest.fixture
def hub() -> Hub:
    hub = Hub("tcp://127.0.0.1:5556", time.monotonic, draw_manifold=draw)
    hub.set_link(LinkState.RECEIVING)
    return hub


@pytest.fixture
def url(hub: Hub) -> Iterator[str]:
    with Dashboard(hub, port=0) as dashboard:
        yield dashboard.url


def drag(
    screen: "Screen", number: int, corners: list[tuple[float, float]], key: str = ""
) -> None:
    """Press at the first corner, in units of the axes, and let go at the last."""
    (x, y), *others = screen.page.evaluate(ON_SCREEN, [number, corners])
    screen.page.mouse.move(x, y)
    if key:
        screen.page.keyboard.down(key)
    screen.page.mouse.down()
    for x, y in others:
        screen.page.mouse.move(x, y, steps=4)
    screen.page.mouse.up()
    if key:
        screen.page.keyboard.up(key)


def drag_box(
    screen: "Screen", number: int, x: tuple[float, float], y: tuple[float, float]
) -> None:
    drag(screen, number, [(x[0], y[0]), (x[1], y[1])])


def wait_for_count(screen: "Screen", count: int | str, of: int) -> None:
    text = f"{count:,} of {of:,} atoms" if count != "" else f"{of:,} atoms"
    screen.wait_for_text("selected", text)


def selected(screen: "Screen") -> NDArray[np.int64]:
    """Numbers of the atoms that are lit up, the same in all figures."""
    in_maps, in_plane = screen.page.evaluate(LIT)
    assert in_maps == in_plane
    return np.array(in_maps, np.int64)


def drawn(analysis: Analysis) -> dict[str, NDArray[np.generic]]:
    """Columns of the atoms in the order in which pages have them."""
    order = np.argsort(analysis.atoms.species, kind="stable")
    return {name: each[order] for name, each in analysis.atoms.columns().items()}


def colourful(screen: "Screen", number: int) -> int:
    """Pixels of a map that are bright and coloured."""
    pixels = screen.pixels(number).astype(int)
    spread = pixels.max(axis=2) - pixels.min(axis=2)
    return int(((spread > 80) & (pixels.max(axis=2) > 150)).sum())


def with_latents(analysis: Analysis, *latents: str) -> Analysis:
    """As if its model gave these latents, and no others."""
    known = analysis.atoms.columns()
    fixed = {name: known[name] for name in known if name not in analysis.atoms.latents}
    columns = {**fixed, **{name: known[name] for name in latents}}
    return replace(
        analysis,
        model=replace(analysis.model, latents=latents, sha256="0" * 64),
        atoms=Atoms.from_columns(columns),
    )


def test_a_region_of_latent_space_lights_its_atoms_up_in_all_maps(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    frame = movie(30)
    hub.add(frame)
    screen.open()
    total, atoms = len(frame.atoms), drawn(frame)
    screen.wait_for_text("selected", f"{total:,} atoms")
    before = [colourful(screen, number) for number in (1, 2)]
    screen.page.click("#box")
    drag_box(screen, LATENT, (-0.2, 0.8), (-0.8, 0.1))
    screen.page.wait_for_selector("#clear-selection:enabled")
    lit = selected(screen)
    z1, z2 = atoms["z1"], atoms["z2"]
    margin = 0.05  # a pixel or two
    surely = (np.abs(z1 - 0.3) < 0.5 - margin) & (np.abs(z2 + 0.35) < 0.45 - margin)
    perhaps = (np.abs(z1 - 0.3) < 0.5 + margin) & (np.abs(z2 + 0.35) < 0.45 + margin)
    assert set(np.flatnonzero(surely)) <= set(lit) <= set(np.flatnonzero(perhaps))
    assert 0 < len(lit) < total / 2
    wait_for_count(screen, len(lit), total)
    means = ", ".join(
        f"{name} {atoms[name][lit].mean():.2f}"
        for name in ("crystallinity", "z1", "z2")
    )
    assert screen.text("selected-means") == f"mean {means}".replace(
        "-", "\N{MINUS SIGN}"
    )
    after = [colourful(screen, number) for number in (1, 2)]
    assert all(b < 0.7 * a for a, b in zip(before, after, strict=True))
    screen.page.keyboard.press("Escape")
    screen.wait_for_text("selected", f"{total:,} atoms")
    assert len(selected(screen)) == 0
    assert screen.page.get_attribute("#box", "aria-pressed") == "false"
    again = [colourful(screen, number) for number in (1, 2)]
    assert again == before


def test_a_lasso_in_a_map_lights_its_atoms_up_in_latent_space(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    frame = movie(30)
    hub.add(frame)
    screen.open()
    total, atoms = len(frame.atoms), drawn(frame)
    screen.page.keyboard.press("s")
    assert screen.page.get_attribute("#lasso", "aria-pressed") == "true"
    triangle = [(0.3, 0.3), (3.5, 0.5), (0.5, 3.5)]
    drag(screen, SAMPLE, [*triangle, triangle[0]])
    screen.page.wait_for_selector("#clear-selection:enabled")
    lit = selected(screen)
    inside = in_triangle(atoms["x_nm"], atoms["y_nm"], triangle)
    # Some atoms lie within a pixel of an edge.
    assert len(set(lit) ^ set(np.flatnonzero(inside))) < 0.08 * inside.sum()
    wait_for_count(screen, len(lit), total)
    orange = plane_pixels(screen).astype(int)
    assert ((orange[..., 0] - orange[..., 2]) > 80).sum() > 50
    screen.page.click("#clear-selection")
    screen.wait_for_text("selected", f"{total:,} atoms")
    assert screen.page.is_disabled("#clear-selection")


def in_triangle(
    x: NDArray[np.generic], y: NDArray[np.generic], corners: list[tuple[float, float]]
) -> NDArray[np.bool_]:
    sides = []
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        sides.append((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) > 0)
    return np.all(sides, axis=0)


def plane_pixels(screen: "Screen") -> NDArray[np.uint8]:
    """(rows, cols, 3) what is on the screen in latent space."""
    shot = screen.page.locator(".latent-space > div").screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))


def test_dragging_moves_the_maps_and_draws_only_with_shift(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(30))
    screen.open()
    x_range = "Bokeh.documents[0].get_model_by_name('state').plots[0].x_range.start"
    before = screen.page.evaluate(x_range)
    corners = [(1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 3.0)]
    drag(screen, SAMPLE, corners, key="Shift")
    screen.page.wait_for_selector("#clear-selection:enabled")
    assert len(selected(screen)) > 0
    assert screen.page.evaluate(x_range) == before
    held = selected(screen)
    drag(screen, SAMPLE, [(2.0, 2.0), (3.0, 2.0)])
    screen.page.wait_for_function(f"{x_range} < {before} - 0.5")
    assert (selected(screen) == held).all()


def test_a_region_is_asked_again_in_every_new_frame(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(0))
    screen.open()
    screen.page.click("#box")
    drag_box(screen, SAMPLE, (0.5, 3.0), (0.5, 3.0))
    screen.page.wait_for_selector("#clear-selection:enabled")
    counts = []
    for seq in (0, 50):
        hub.add(movie(seq))
        screen.wait_for_text("frame", str(seq))
        atoms = drawn(movie(seq))
        middle = [np.abs(atoms[name] - 1.75) for name in ("x_nm", "y_nm")]
        inside = np.flatnonzero(np.maximum(*middle) < 1.25)
        lit = selected(screen)
        assert len(set(lit) ^ set(inside)) < 0.1 * len(inside)
        wait_for_count(screen, len(lit), len(movie(seq).atoms))
        counts.append(len(lit))
    assert counts[1] < 0.9 * counts[0], "a hole has opened there"


def test_an_empty_region_holds_no_atom_and_lights_none_up(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(50))
    screen.open()
    before = colourful(screen, 2)
    screen.page.click("#box")
    drag_box(screen, SAMPLE, (1.1, 1.4), (1.3, 1.6))  # in a hole
    wait_for_count(screen, 0, len(movie(50).atoms))
    assert colourful(screen, 2) < before / 5
    screen.page.keyboard.press("Escape")
    wait_for_count(screen, "", len(movie(50).atoms))
    assert colourful(screen, 2) == before


def test_other_axes_are_taken_in_the_browser_and_a_region_stays_on_its_own(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    frame = movie(30)
    hub.add(frame)
    screen.open()
    axes = """() => [...document.querySelectorAll('.latent-space select')]
      .map((select) => select.value)"""
    assert screen.page.evaluate(axes) == ["z1", "z2"]
    before = plane_pixels(screen)
    screen.page.select_option("#latent-x", "crystallinity")
    screen.page.select_option("#latent-y", "angle_deg")
    labels = screen.page.evaluate("""() =>
      Bokeh.documents[0].get_model_by_name("state").latent_space.axis_lines
        .map((axis) => axis.axis_label)""")
    assert labels == ["crystallinity", "angle (°)"]
    assert (plane_pixels(screen) != before).any()
    screen.page.click("#box")
    drag_box(screen, LATENT, (0.2, 0.7), (-50, 50))
    screen.page.wait_for_selector("#clear-selection:enabled")
    lit = selected(screen)
    assert 0 < len(lit) < len(frame.atoms)
    assert drawn(frame)["crystallinity"][lit].min() > 0.15
    assert drawn(frame)["crystallinity"][lit].max() < 0.75
    screen.page.select_option("#latent-x", "z1")
    assert (selected(screen) == lit).all()
    hub.add(replace(movie(31), seq=31))
    screen.wait_for_text("frame", "31")
    assert screen.page.evaluate(axes) == ["z1", "angle_deg"]


def test_what_the_decoder_draws_lies_where_its_latents_do(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    # One atom in a corner leaves the plane free.
    frame = movie(0)
    columns = {name: each[:1].copy() for name, each in frame.atoms.columns().items()}
    columns["z1"][:] = columns["z2"][:] = 0
    hub.add(movie(0))
    hub.add(replace(frame, seq=1, atoms=Atoms.from_columns(columns)))
    screen.open()
    screen.page.wait_for_selector("#manifold:enabled")
    places = [(-0.9, -0.7), (0.9, -0.7), (-0.9, 0.7)]

    def greys() -> list[int]:
        image = np.asarray(
            Image.open(io.BytesIO(screen.page.screenshot())).convert("L")
        )
        points = screen.page.evaluate(ON_SCREEN, [LATENT, places])
        return [int(image[round(y), round(x)]) for x, y in points]

    dark, light, medium = greys()
    assert dark < medium - 30 < light - 60
    screen.page.click("#manifold")
    assert screen.page.get_attribute("#manifold", "aria-pressed") == "false"
    assert max(greys()) < dark + 10
    screen.page.click("#manifold")
    assert greys() == [dark, light, medium]
    screen.page.select_option("#latent-x", "crystallinity")
    assert screen.page.is_disabled("#manifold")
    title = screen.page.get_attribute("#manifold", "title")
    assert title == "The decoder draws z1 against z2"


def test_a_model_without_latents_says_so(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(with_latents(movie(0)))
    screen.open()
    assert screen.text("no-latents") == "This model gives no latents."
    hub.add(movie(1))
    screen.wait_for_text("frame", "1")
    assert not screen.page.is_visible("#no-latents")
    assert screen.page.input_value("#latent-y") == "z2"


def test_what_is_selected_is_taken_away_as_a_file(
    screen: "Screen", hub: Hub, movie: Movie, tmp_path: Path
) -> None:
    frame = movie(30)
    hub.add(frame)
    screen.open()
    for button in ("#take-csv", "#take-parquet"):
        whole = downloaded(screen, button, tmp_path)
        np.testing.assert_array_equal(column(whole, "z1"), frame.atoms.latents["z1"])
    screen.page.keyboard.press("s")
    wavy = [(0.5 + 0.1 * k, 1 + 0.4 * (-1) ** k) for k in range(20)]
    drag(screen, SAMPLE, [*wavy, (2.4, 3.0), (0.5, 3.0)])
    screen.page.wait_for_selector("#clear-selection:enabled")
    lit = drawn(frame)["x_nm"][selected(screen)]
    for button in ("#take-csv", "#take-parquet"):
        part = downloaded(screen, button, tmp_path)
        assert part.num_rows > 20
        np.testing.assert_array_equal(np.sort(column(part, "x_nm")), np.sort(lit))
        assert set(column(part, "frame")) == {30}


def downloaded(screen: "Screen", button: str, folder: Path) -> pa.Table:
    with screen.page.expect_download() as waiting:
        screen.page.click(button)
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert path.name.startswith("simulator-HAADF-frame-30")
    return pyarrow.csv.read_csv(path) if path.suffix == ".csv" else pq.read_table(path)


def column(table: pa.Table, name: str) -> NDArray[Any]:
    return table[name].to_numpy().astype(np.float32)


IN_TIME = """([corners]) => {
  const begin = performance.now()
  document.dispatchEvent(new CustomEvent("region-drawn", {detail: {
    space: "latent", geometry: {type: "poly", ...corners}, final: true}}))
  return performance.now() - begin
}"""


def test_ten_thousand_atoms_are_searched_at_once(
    screen: "Screen", hub: Hub, full_size_movie: Movie
) -> None:
    """What a hand draws has some hundred corners; painting comes after it."""
    hub.add(full_size_movie(20))
    screen.open()
    angles = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    took_ms = []
    for turn in range(3):
        radius = 1.0 + 0.2 * np.sin(5 * angles + turn)
        corners = {
            "x": (radius * np.cos(angles)).tolist(),
            "y": (radius * np.sin(angles)).tolist(),
        }
        took_ms.append(screen.page.evaluate(IN_TIME, [corners]))
    assert len(selected(screen)) > 3000
    assert min(took_ms) < 100


@pytest.fixture(scope="module")
def full_size_movie() -> Movie:
    here = Path(__file__).parents[1] / "dashboard" / "conftest.py"
    return runpy.run_path(str(here))["Movie"]()
