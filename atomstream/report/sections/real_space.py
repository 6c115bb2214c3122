"""What the encoder says of atoms, in the sample."""

import math
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from atomstream.report.figure import Drawn, Progress, Remark, Wish
from atomstream.report.figures.real_space import Scale, real_space
from atomstream.report.material import Material
from atomstream.report.survey import Quantity, Survey
from atomstream.report.views import view_of
from streamer.analysis import Flag
from streamer.session.records import AnalysisRecord

LATTICE = "angle modulo 60°"
"""Of the lattice, whichever sublattice an atom is of."""


def draw(
    survey: Survey, material: Material, _wish: Wish, progress: Progress
) -> Iterator[Drawn | Remark]:
    """One figure of the chosen frames that have atoms."""
    chosen = [each for each in material.chosen if Flag.NO_ATOMS not in each.flags]
    if not chosen or not survey.spreads:
        yield Remark("No chosen frame has atoms: nothing can be shown of them.")
        return
    scales = _by_name(survey, chosen)
    views, values = [], []
    for number, record in enumerate(chosen):
        views.append(view_of(material, record, maps=False))
        values.append(_values(survey, material, record))
        progress(number + 1, len(chosen))
    yield Drawn(
        name="real-space",
        title="Angle and order in the sample",
        caption=_caption(survey),
        figure=real_space(views, values, scales),
        tables={"colour-scales": _scales(scales)},
    )


def _values(
    survey: Survey, material: Material, record: AnalysisRecord
) -> dict[str, NDArray[np.float64]]:
    """Of the atoms of one frame, by quantity; angles within one period about 0."""
    quantities = [each.quantity for each in survey.spreads if each.quantity.of(record)]
    columns = material.atoms(record, [quantity.column for quantity in quantities])
    found = {}
    for quantity in quantities:
        known = quantity.values(columns[quantity.column])
        if quantity.period is not None:
            half = quantity.period / 2
            known = (known + half) % quantity.period - half
            if is_two_sublattices(quantity):
                found[LATTICE] = known % (quantity.period / 2)
        found[quantity.title] = known
    return found


def is_two_sublattices(quantity: Quantity) -> bool:
    """Whether half the angle's period is the turn between neighbouring sites."""
    return quantity.period is not None and math.isclose(quantity.period, 120)


def _by_name(survey: Survey, chosen: list[AnalysisRecord]) -> dict[str, Scale]:
    """The rows: the angle, that of the lattice, then the latents."""
    scales = {}
    for spread in survey.spreads:
        quantity = spread.quantity
        if not any(quantity.of(record) for record in chosen):
            continue
        scales[quantity.title] = Scale(quantity.label, spread.shown, spread.bins.cyclic)
        if quantity.period is not None and is_two_sublattices(quantity):
            half = quantity.period / 2
            scales[LATTICE] = Scale(f"{LATTICE} (°)", (0.0, half), cyclic=True)
    return scales


def _caption(survey: Survey) -> str:
    periods = sorted({s.quantity.period for s in survey.spreads if s.quantity.period})
    period = " and ".join(f"{value:g}°" for value in periods)
    return (
        "Each atom of the chosen frames, coloured by what the encoder says of the "
        "piece of the probability map around it. Si is larger, has a rim and lies on "
        "top; atoms without a value are grey. One colour scale for all frames: the "
        f"angle's is a wheel that closes after {period}, so that the two sublattices "
        "of graphene, 60° apart, have opposite colours; modulo 60° both have one, and "
        "what turns stands out; the others end at the least 2nd and the greatest 98th "
        "percentile of any frame."
    )


def _scales(scales: dict[str, Scale]) -> pa.Table:
    return pa.table(
        {
            "quantity": pa.array([scale.label for scale in scales.values()]),
            "low": pa.array([scale.limits[0] for scale in scales.values()]),
            "high": pa.array([scale.limits[1] for scale in scales.values()]),
        }
    )
