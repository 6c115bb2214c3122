"""The paper's Fig. 5 in numbers: every method on the same sub-images."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace

import numpy as np
from rich.table import Table

from inference.describe import describer_of
from inference.model import Model, load_model
from inference.training.baselines import BaselineRecipe, Embedding, fit_baselines
from inference.training.class_images import class_images, mean_similarity
from inference.training.fit_paper_rvae import PaperRvaeRecipe, fit_paper_rvae
from inference.training.latent_figures import (
    LatentFigures,
    Method,
    Told,
    by_rvae,
    latent_figures,
    rounded,
)
from inference.training.paper_rvae import LOSSES
from inference.training.progress import Progress
from inference.training.simulated_windows import DescribedAtoms, simulate_described
from inference.training.window_set import LARGE, SMALL
from streamer.frame import JsonValue

WINDOWS = {"small": SMALL, "large": LARGE}


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

    def to_json(self) -> list[JsonValue]:
        """One object a row; what is not known is null."""
        return [
            {
                "method": row.method,
                "window": row.window,
                **rounded({"class_similarity": row.class_similarity}),
                **rounded(asdict(row.figures)),
            }
            for row in self.rows
        ]


@dataclass(frozen=True, slots=True)
class ComparisonRecipe:
    """Everything that the comparison depends on, besides the model."""

    rvae: PaperRvaeRecipe = field(default_factory=PaperRvaeRecipe)
    baselines: BaselineRecipe = field(default_factory=BaselineRecipe)
    movies: int = 20
    """Simulated, to fit to."""
    held_out_movies: int = 6
    """Simulated, to measure on."""
    seed: int = 1


def compare_methods(
    source: str, recipe: ComparisonRecipe, progress: Progress
) -> MethodComparison:
    """Fit all methods to what a model's DCNN sees, and compare them with the model.

    Parameters
    ----------
    source
        Name or folder of the model.
    """
    model = load_model(source, threads=1)
    describers = {**WINDOWS, model.card.name: describer_of(model.card)}
    known, truth = (
        simulate_described(
            movies,
            model.card.dcnn,
            model.segment,
            describers,
            [recipe.seed, part],
            progress,
        )
        for part, movies in enumerate((recipe.movies, recipe.held_out_movies))
    )
    rows: list[ComparedMethod] = []
    for window in WINDOWS:
        methods: dict[str, Method] = {
            model.card.name: by_model(model),
            "psi3, psi6": by_coordinates,
            **fit_methods(known, window, recipe.rvae, recipe.baselines, progress),
        }
        rows += compare(methods, window, known, truth, recipe.seed)
    return MethodComparison(tuple(rows))


def fit_methods(
    known: DescribedAtoms,
    window: str,
    rvae: PaperRvaeRecipe,
    baselines: BaselineRecipe,
    progress: Progress,
) -> dict[str, Method]:
    """Both losses of the rVAE and all baselines, fitted to one kind of window.

    All of them see the same sub-images: those on which the rVAE is trained.
    """
    data = known.windows(window)
    train = rvae.split(data).train
    methods: dict[str, Method] = {}
    for loss in LOSSES:
        fitted = fit_paper_rvae(data, replace(rvae, loss=loss), progress)
        methods[f"rVAE, {loss} loss"] = by_rvae(fitted, window)
    for name, embedding in fit_baselines(data.windows[train], baselines).items():
        methods[name] = by_embedding(embedding, window)
    return methods


def by_embedding(embedding: Embedding, window: str) -> Method:
    """All latents are content: none is an angle."""
    return lambda atoms: Told(embedding(atoms.rows[window]))


def by_model(model: Model) -> Method:
    """The encoder of a model, for atoms described as its card wants them."""

    def tell(atoms: DescribedAtoms) -> Told:
        encoded = model.encode(atoms.rows[model.card.name])
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
