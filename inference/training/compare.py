"""The paper's Fig. 5 in numbers: every method on the same sub-images."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace

import numpy as np
from rich.table import Table

from inference.describe import Describer, describer_of
from inference.model import Model, load_model
from inference.order_parameters import orientation_deg
from inference.paper_methods.class_images import class_images, mean_similarity
from inference.paper_methods.told import Told
from inference.paper_methods.window_size import WINDOWS_NM, WindowSize, windows_of
from inference.training.baselines import BaselineRecipe, Embedding, fit_baselines
from inference.training.bench import Stage
from inference.training.fit_paper_rvae import PaperRvaeRecipe, fit_paper_rvae
from inference.training.footage import Footage, paper_movies
from inference.training.latent_figures import (
    LatentFigures,
    Method,
    by_rvae,
    latent_figures,
    rounded,
)
from inference.training.paper_rvae import LOSSES
from inference.training.simulated_windows import DescribedAtoms, simulate_described
from streamer.frame import JsonValue

MODEL = "model"
"""What the model compared with is called among the ways to describe sub-images."""


@dataclass(frozen=True, slots=True)
class ComparedMethod:
    """One row of the table."""

    method: str
    window: str
    class_similarity: float
    """Mean structural similarity of pairs of class images."""
    figures: LatentFigures


@dataclass(frozen=True, slots=True)
class MethodComparison:
    """All methods on all windows."""

    rows: tuple[ComparedMethod, ...]
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    """What the rows were measured with."""

    def table(self) -> Table:
        """For the terminal."""
        table = Table("method", "window")
        names = ("class_similarity", *(one.name for one in fields(LatentFigures)))
        for name in names:
            table.add_column(name, justify="right")
        for row in self.rows:
            values = (row.class_similarity, *asdict(row.figures).values())
            shown = ["" if math.isnan(value) else f"{value:.3f}" for value in values]
            table.add_row(row.method, row.window, *shown)
        return table

    def to_json(self) -> dict[str, JsonValue]:
        """The facts, and one object a row; what is not known is null."""
        rows: list[JsonValue] = [
            {
                "method": row.method,
                "window": row.window,
                **rounded({"class_similarity": row.class_similarity}),
                **rounded(asdict(row.figures)),
            }
            for row in self.rows
        ]
        return {**self.facts, "rows": rows}


@dataclass(frozen=True, slots=True)
class ComparisonRecipe:
    """Everything that the comparison depends on, besides the model."""

    rvae: PaperRvaeRecipe = field(default_factory=PaperRvaeRecipe)
    """Whatever its loss and window: both of each are compared."""
    baselines: BaselineRecipe = field(default_factory=BaselineRecipe)
    held_out_movies: int = 1
    """Simulated, to measure on."""


def comparison_recipe(seed: int, steps: int | None) -> ComparisonRecipe:
    """The comparison as it is meant, or with as many steps for all that is trained."""
    usual = ComparisonRecipe()
    rvae, baselines = usual.rvae, usual.baselines
    return replace(
        usual,
        rvae=replace(rvae, seed=seed, steps=steps or rvae.steps),
        baselines=replace(baselines, seed=seed, steps=steps or baselines.steps),
    )


def compare_methods(
    source: str, recipe: ComparisonRecipe, stage: Stage
) -> MethodComparison:
    """Fit all methods to what a model's DCNN sees, and compare them with the model.

    Parameters
    ----------
    source
        Name or folder of the model.

    Raises
    ------
    ModelError
        As for `load_model`.
    """
    model = load_model(source, threads=1)
    known, truth = _simulated(model, recipe, stage)
    rows: list[ComparedMethod] = []
    for window in WINDOWS_NM:
        methods: dict[str, Method] = {
            f"model {model.card.name}": by_model(model),
            "psi3, psi6": by_coordinates,
            **fit_methods(known, window, recipe, stage),
        }
        rows += compare(methods, window, known, truth, recipe.rvae.seed)
    facts: dict[str, JsonValue] = {
        "model": {"name": model.card.name, "card_sha256": model.id.sha256},
        "recipe": asdict(recipe),
        "sub_images": {"fitted_to": len(known), "measured_on": len(truth)},
        "orientation_deg": {
            "fitted_to": orientation_deg(known.angle_rad),
            "measured_on": orientation_deg(truth.angle_rad),
        },
    }
    return MethodComparison(tuple(rows), facts)


def _simulated(
    model: Model, recipe: ComparisonRecipe, stage: Stage
) -> tuple[DescribedAtoms, DescribedAtoms]:
    """Atoms to fit to, and atoms of movies as they are, but others, to measure on."""
    card = model.card.dcnn
    describers: dict[str, Describer] = {
        size: windows_of(size, card.pixel_size_nm) for size in WINDOWS_NM
    }
    describers[MODEL] = describer_of(model.card)

    def simulated(name: str, part: int, footage: Footage) -> DescribedAtoms:
        seed = [recipe.rvae.seed, part]
        with stage(f"simulating movies {name}") as report:
            return simulate_described(
                footage, card, model.segment, describers, seed, report
            )

    rvae = recipe.rvae
    known = simulated("to fit to", 0, rvae.footage)
    # The paper's rVAE knows no other orientation than that of its movie.
    alike = paper_movies(
        recipe.held_out_movies,
        rvae.frames,
        rvae.share,
        orientation_deg(known.angle_rad),
    )
    return known, simulated("to measure on", 1, alike)


def fit_methods(
    known: DescribedAtoms, window: WindowSize, recipe: ComparisonRecipe, stage: Stage
) -> dict[str, Method]:
    """Both losses of the rVAE and all baselines, fitted to one kind of window.

    All of them see the same sub-images: those on which the rVAE is trained.
    """
    data = known.windows(window)
    train = recipe.rvae.split(data).train
    methods: dict[str, Method] = {}
    for loss in LOSSES:
        with stage(f"rVAE, {loss} loss, {window} windows") as report:
            fitted = fit_paper_rvae(data, replace(recipe.rvae, loss=loss), report)
        methods[f"rVAE, {loss} loss"] = by_rvae(fitted, window)
    with stage(f"baselines, {window} windows") as report:
        embeddings = fit_baselines(data.windows[train], recipe.baselines, report)
    for name, embedding in embeddings.items():
        methods[name] = by_embedding(embedding, window)
    return methods


def by_embedding(embedding: Embedding, window: str) -> Method:
    """All latents are content: none is an angle."""
    return lambda atoms: Told(embedding(atoms.rows[window]))


def by_model(model: Model) -> Method:
    """The encoder of a model, for atoms described as its card wants them."""

    def tell(atoms: DescribedAtoms) -> Told:
        encoded = model.encode(atoms.rows[MODEL])
        return Told(encoded.latents, encoded.angle_rad)

    return tell


def by_coordinates(atoms: DescribedAtoms) -> Told:
    """Bond-orientational order of the detected positions."""
    order = atoms.detected
    return Told(np.stack([order.psi3, order.psi6], axis=1), order.angle_rad)


def compare(
    methods: Mapping[str, Method],
    window: str,
    known: DescribedAtoms,
    truth: DescribedAtoms,
    seed: int,
) -> tuple[ComparedMethod, ...]:
    """How good each method is on held-out atoms.

    Parameters
    ----------
    window
        Of which class images are made.
    known
        Atoms that the methods were fitted to; latents are read as on these.
    """
    rows = []
    for name, method in methods.items():
        told = method(truth)
        images = class_images(truth.rows[window], told, seed)
        figures = latent_figures(method(known), known, told, truth)
        rows.append(ComparedMethod(name, window, mean_similarity(images), figures))
    return tuple(rows)
