"""The quantity that the third map shows: which there are, and what its colours span."""

import numpy as np

from dashboard.choices import Choices
from dashboard.scene import SCORE, SIGMA, Scene, order_column
from dashboard.trend import Span, Trend

FIXED: dict[str, Span] = {SCORE: Span(0.0, 100.0), SIGMA: Span(0.0, 20.0)}
"""Ends of the colours for what means the same with every model."""

WORDS = {SCORE: "Score (%)", SIGMA: "Position \N{PLUS-MINUS SIGN} (pm)"}
"""What quantities are called whose columns are not called what they are."""


def mappable(scene: Scene) -> tuple[str, ...]:
    """Columns of `scene` that the map can show."""
    refined = bool(np.isfinite(scene.atoms[SIGMA]).any())
    return (*scene.model.latents, SCORE, *((SIGMA,) if refined else ()))


def mapped(scene: Scene, choices: Choices) -> str:
    """The column that the map shows: the viewer's, or the most telling."""
    chosen = choices.mapped
    return chosen if chosen in mappable(scene) else order_column(scene.model)


def ends(column: str, trend: Trend) -> Span:
    """Values with the first and the last colour: what is usual in all frames."""
    return FIXED[column] if column in FIXED else trend.usual[column]


def words(column: str) -> str:
    """What the page calls `column`."""
    # Latents may be called z1; only what is a word begins like one.
    return WORDS.get(column, column.capitalize() if column.isalpha() else column)
