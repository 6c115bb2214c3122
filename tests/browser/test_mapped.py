"""What the third map shows, and atoms in all maps."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from dashboard.hub import Hub
from streamer.analysis import Analysis
from streamer.atoms import Atoms

if TYPE_CHECKING:
    from conftest import Screen

type Movie = Callable[[int], Analysis]

pytestmark = pytest.mark.browser

SIGMAS_PM = (2.0, 10.0, 18.0)


MAPPED = """(value) =>
  window.Bokeh.documents[0].get_model_by_name("state").mapped == value"""

TOOLTIP = """() => [...document.querySelectorAll(".bk-Tooltip")]
  .filter((each) => each.checkVisibility())
  .map((each) => each.shadowRoot.textContent).join()"""


def few_atoms(movie: Movie, **columns: object) -> Analysis:
    """A frame of three C atoms in a row across its middle."""
    frame = movie(0)
    side = frame.shape[0] * (frame.pixel_size_nm or 1.0)
    few = {name: each[:3] for name, each in frame.atoms.columns().items()}
    few |= {
        "x_nm": side * np.array([0.25, 0.5, 0.75]),
        "y_nm": np.full(3, side / 2),
        "species": np.zeros(3),
        **columns,
    }
    return replace(frame, atoms=Atoms.from_columns(few))


def colours(
    screen: "Screen", frame: Analysis, number: int = 2
) -> list[NDArray[np.int64]]:
    """What is on the screen where the atoms are."""
    shot = screen.whole().astype(int)
    atoms = frame.atoms
    return [
        shot[screen.place(number, float(x), float(y))]
        for x, y in zip(atoms.x_nm, atoms.y_nm, strict=True)
    ]


def brightness(screen: "Screen", frame: Analysis) -> list[int]:
    return [int(colour.sum()) for colour in colours(screen, frame)]


def choose(screen: "Screen", name: str) -> None:
    """Return when the map shows what is called `name`."""
    (value,) = screen.page.select_option("#mapped", label=name)
    screen.page.wait_for_function(MAPPED, arg=value)
    screen.wait_until_painted()


def hovered(screen: "Screen", frame: Analysis, number: int) -> str:
    """What is said about the middle atom when the pointer is on it."""
    x, y = float(frame.atoms.x_nm[1]), float(frame.atoms.y_nm[1])
    row, col = screen.place(number, x, y)
    screen.page.mouse.move(col, row)
    screen.page.wait_for_function(TOOLTIP)
    return str(screen.page.evaluate(TOOLTIP))


def offered(screen: "Screen") -> list[str]:
    return screen.page.locator("#mapped option").all_inner_texts()


def test_the_third_map_shows_the_quantity_that_is_chosen_and_says_its_range(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    rising, falling = np.array([0.1, 0.5, 0.9]), np.array([2.0, 0.0, -2.0])
    sigma_nm = np.array(SIGMAS_PM) / 1000
    frame = few_atoms(
        movie,
        crystallinity=rising,
        z1=falling,
        score=[0.9, 0.5, 0.1],
        x_sigma_nm=sigma_nm,
        y_sigma_nm=sigma_nm,
    )
    hub.add(frame)
    screen.open()
    names = ["Crystallinity", "z1", "z2", "Score (%)", "Position ± (pm)"]
    assert offered(screen) == names
    assert screen.page.input_value("#mapped") == "crystallinity"
    low, high = map(float, screen.text("mapped-ends").split(" to "))
    assert low <= 0.1 < 0.9 <= high
    assert brightness(screen, frame) == sorted(brightness(screen, frame))
    said = {}
    for name, rises in [(names[1], False), (names[3], False), (names[4], True)]:
        choose(screen, name)
        seen = brightness(screen, frame)
        assert seen == sorted(seen, reverse=not rises), name
        said[name] = screen.text("mapped-ends")
    assert (said[names[3]], said[names[4]]) == ("0 to 100", "0 to 20")


def test_a_choice_holds_from_frame_to_frame_and_for_each_model_that_has_it(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(0))
    screen.open()
    choose(screen, "z2")
    hub.add(movie(1))
    screen.wait_for_text("frame", "1")
    assert screen.page.input_value("#mapped") == "z2"
    poor = replace(movie(2).model, latents=("z1",))
    hub.add(replace(movie(2), model=poor))
    screen.wait_for_text("frame", "2")
    assert screen.page.input_value("#mapped") == "z1"
    assert offered(screen)[:2] == ["z1", "Score (%)"]
    hub.add(movie(3))
    screen.wait_for_text("frame", "3")
    assert screen.page.input_value("#mapped") == "z2"


def test_without_refined_positions_their_uncertainty_is_not_offered(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    frame = few_atoms(movie, x_sigma_nm=[np.nan] * 3, y_sigma_nm=[np.nan] * 3)
    hub.add(frame)
    screen.open()
    assert offered(screen) == ["Crystallinity", "z1", "z2", "Score (%)"]
    assert "NaN pm" in hovered(screen, frame, 2)


def test_the_numbers_of_the_atom_under_the_pointer_are_shown(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    sigma_nm = np.array(SIGMAS_PM) / 1000
    frame = few_atoms(
        movie,
        crystallinity=[0.1, 0.57, 0.9],
        angle_rad=np.radians([0, 12.3, 0]),
        score=[0.5, 0.93, 0.5],
        x_sigma_nm=sigma_nm,
        y_sigma_nm=sigma_nm,
    )
    hub.add(frame)
    screen.open()
    x, y = frame.atoms.x_nm[1], frame.atoms.y_nm[1]
    numbers = ("C", f"{x:.3f}, {y:.3f}", "12.3°", "0.57", "93 %", "10.0 pm")
    for number in range(3):
        said = hovered(screen, frame, number)
        assert all(text in said for text in numbers), said
        screen.page.mouse.move(0, 0)
        screen.page.wait_for_function(f"!({TOOLTIP})()")


def test_silicon_lies_on_top_in_every_map(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    """Si is first in the table, and C nearly at the same place after it."""
    middle = movie(0).shape[0] * (movie(0).pixel_size_nm or 1.0) / 2
    near = {
        "x_nm": np.array([middle, middle + 0.01, middle - 0.01]),
        "y_nm": np.full(3, middle),
        "angle_rad": np.radians([-40.0, 40.0, 40.0]),
        "crystallinity": np.array([0.0, 1.0, 1.0]),
    }
    with_si = few_atoms(movie, **{**near, "species": np.array([1, 0, 0])})
    hub.add(with_si)
    screen.open()
    seen = [colours(screen, with_si, number)[0] for number in range(3)]
    red, _, blue = seen[0]
    assert red - blue > 60, "the frame's Si is orange, and C is blue"
    only_c = few_atoms(movie, **near)
    hub.add(replace(only_c, seq=1))
    screen.wait_for_text("frame", "1")
    covered = [colours(screen, only_c, number)[0] for number in range(3)]
    assert all(np.abs(a - b).max() > 60 for a, b in zip(seen, covered, strict=True)), (
        "C, which was hidden by Si, has another colour"
    )
