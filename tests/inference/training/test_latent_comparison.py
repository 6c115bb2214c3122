import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("skimage")

from rich.console import Console

from inference.catalogue import DEFAULT
from inference.order_parameters import OrderParameters
from inference.paper_methods.class_images import (
    class_images,
    mean_similarity,
    turned_back,
)
from inference.paper_methods.told import Told
from inference.training.baselines import (
    BaselineRecipe,
    fit_baselines,
)
from inference.training.bench import Stage
from inference.training.compare import (
    ComparisonRecipe,
    MethodComparison,
    by_coordinates,
    compare,
    compare_methods,
)
from inference.training.fit_paper_rvae import PaperRvaeRecipe
from inference.training.latent_figures import latent_figures
from inference.training.simulated_windows import DescribedAtoms

COUNT = 600
RNG = np.random.default_rng(5)


@pytest.fixture(scope="module")
def atoms() -> DescribedAtoms:
    """Atoms with a spot each, in the direction in which the atom is turned."""
    angle = RNG.uniform(-math.pi / 3, math.pi / 3, COUNT).astype(np.float32)
    order = RNG.uniform(0.5, 1, COUNT).astype(np.float32)
    return DescribedAtoms(
        rows={"small": spots(angle, 12) * order[:, None, None]},
        angle_rad=angle,
        crystallinity=order,
        detected=OrderParameters(angle + 0.02, order, order**2, order),
    )


def spots(angle_rad: np.ndarray, side: int) -> np.ndarray:
    """A spot to the right of the middle, turned counter-clockwise by each angle."""
    axis = np.linspace(-1, 1, side)
    right, up = axis[None, None, :], -axis[None, :, None]
    x, y = 0.6 * np.cos(angle_rad), 0.6 * np.sin(angle_rad)
    square = (right - x[:, None, None]) ** 2 + (up - y[:, None, None]) ** 2
    return np.exp(-square / 0.1).astype(np.float32)


def test_latents_are_read_as_on_the_atoms_they_were_fitted_to(
    atoms: DescribedAtoms,
) -> None:
    noise = RNG.normal(size=COUNT)
    content = np.stack([noise, -2 * atoms.crystallinity], axis=1)
    told = Told(content, atoms.angle_rad + 1.3)
    figures = latent_figures(told, atoms, told, atoms)
    assert figures.spearman == pytest.approx(1)
    assert figures.auc == pytest.approx(1)
    assert figures.angle_bulk_deg == pytest.approx(0, abs=1e-3)
    assert figures.leak < 0.05
    # The same on other atoms, on which the other latent and angle would be better.
    worse = Told(content[:, ::-1], atoms.angle_rad + 1.3 + math.radians(5))
    figures = latent_figures(told, atoms, worse, atoms)
    assert abs(figures.spearman) < 0.2
    assert figures.angle_deg == pytest.approx(5, abs=1e-3)


@pytest.mark.parametrize(
    ("linear", "leak", "leak_quadratic"), [(True, 1.0, 1.0), (False, 0.0, 1.0)]
)
def test_rotation_in_the_content_is_found(
    atoms: DescribedAtoms, linear: bool, leak: float, leak_quadratic: float
) -> None:
    cos, sin = np.cos(3 * atoms.angle_rad), np.sin(3 * atoms.angle_rad)
    # Cos and sin of half of the angle: their products are those of the whole.
    half = 1.5 * atoms.angle_rad
    pair = (cos, sin) if linear else (np.cos(half), np.sin(half))
    sign = 1 if linear else RNG.choice([-1, 1], COUNT)
    told = Told(np.stack(pair, axis=1) * np.reshape(sign, (-1, 1)))
    figures = latent_figures(told, atoms, told, atoms)
    assert figures.leak == pytest.approx(leak, abs=0.05)
    assert figures.leak_quadratic == pytest.approx(leak_quadratic, abs=0.05)
    assert math.isnan(figures.angle_deg)


def ignored(_done: int, _total: int) -> None:
    pass


@pytest.mark.parametrize("angle", [0.5, -1.0, math.pi / 2])
def test_windows_are_turned_back_clockwise(angle: float) -> None:
    found = turned_back(spots(np.array([angle]), 25), np.array([angle]))
    np.testing.assert_allclose(found, spots(np.array([0.0]), 25), atol=0.05)


def test_an_atom_without_an_angle_spoils_no_class_image() -> None:
    windows = spots(RNG.uniform(-1, 1, 60), 12)
    angle = np.zeros(60)
    angle[::10] = np.nan
    images = class_images(windows, Told(RNG.normal(size=(60, 2)), angle), seed=1)
    assert np.isfinite(images).all()


def test_equal_images_are_similar_and_different_ones_are_not() -> None:
    same = np.repeat(spots(np.array([0.3]), 16), 3, axis=0)
    assert mean_similarity(same) == pytest.approx(1)
    turned = spots(np.array([0.0, 2.0, 4.0]), 16)
    assert mean_similarity(turned) < 0.7


def test_every_baseline_embeds_windows_and_is_the_same_again(
    atoms: DescribedAtoms,
) -> None:
    recipe = BaselineRecipe(steps=3, batch=8, components=3)
    windows = atoms.rows["small"]
    first, again = (fit_baselines(windows, recipe, ignored) for _ in range(2))
    shapes = {name: embed(windows).shape for name, embed in first.items()}
    assert shapes == {
        "PCA": (COUNT, 2),
        "GMM": (COUNT, 1 + 3),
        "convolutional AE": (COUNT, 2),
        "plain VAE": (COUNT, 2),
    }
    for name, embed in first.items():
        np.testing.assert_array_equal(embed(windows), again[name](windows))


def test_the_comparison_is_a_table_and_goes_into_json(atoms: DescribedAtoms) -> None:
    def by_windows(atoms: DescribedAtoms) -> Told:
        return Told(atoms.rows["small"].reshape(len(atoms), -1)[:, 60:64])

    methods = {"coordinates": by_coordinates, "pixels": by_windows}
    rows = compare(methods, "small", atoms, atoms, seed=1)
    comparison = MethodComparison(rows, {"model": "mine"})
    console = Console(width=200)
    with console.capture() as captured:
        console.print(comparison.table())
    assert "coordinates" in captured.get()
    written = json.loads(json.dumps(comparison.to_json(), allow_nan=False))
    assert written["model"] == "mine"
    first, second = written["rows"]
    assert [first["method"], second["method"]] == ["coordinates", "pixels"]
    assert first["spearman"] == 1
    assert first["angle_deg"] == pytest.approx(0, abs=1e-3)
    assert second["angle_deg"] is None
    assert 0 < first["class_similarity"] <= 1


def test_a_model_is_compared_with_every_method_of_the_paper_in_both_windows(
    stage: Stage,
) -> None:
    recipe = ComparisonRecipe(
        rvae=PaperRvaeRecipe(frames=2, share=0.05, steps=2, batch=8),
        baselines=BaselineRecipe(steps=2, batch=8, components=3),
    )
    compared = compare_methods(DEFAULT, recipe, stage)
    methods = [
        f"model {DEFAULT}",
        "psi3, psi6",
        "rVAE, authors loss",
        "rVAE, printed loss",
        "PCA",
        "GMM",
        "convolutional AE",
        "plain VAE",
    ]
    rows = [(row.window, row.method) for row in compared.rows]
    assert rows == [(size, one) for size in ("small", "large") for one in methods]
    told = compared.to_json()["sub_images"]
    assert isinstance(told, dict)
    # A twentieth of each of two frames, whose atoms are about 9,000.
    assert all(700 < number < 1000 for number in told.values())
    # What was trained for it already is good; what had two steps is not.
    errors = [row.figures.angle_bulk_deg for row in compared.rows]
    assert errors[0] == errors[8] < 1.5
    assert errors[2] > 5
