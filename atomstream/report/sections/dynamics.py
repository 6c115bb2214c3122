"""How the sample changes: angle, latents, numbers of each frame, Si and edges."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from atomstream.report.course import (
    course_of,
    course_tables,
    whole_density,
    width_of,
)
from atomstream.report.figure import Drawn, Progress, Remark, Wish
from atomstream.report.figures import style
from atomstream.report.figures.silicon import silicon
from atomstream.report.figures.spread import over_time, whole
from atomstream.report.figures.trends import Line, Panel, trends
from atomstream.report.material import Material
from atomstream.report.survey import ANGLE, Spread, Survey
from atomstream.report.timeline import timeline_of
from atomstream.report.trend_table import trend_table
from inference.densities import LEAST_SHARE, apart, two_peaks

ROWS = (
    "Atoms whose sub-images lie within the frame. Each column is the density of one "
    "frame, of integral 1; colours go by its square root, so that few atoms show. "
    f"Ridge: maxima of at least {LEAST_SHARE:g} of the frame's highest. Right: some "
    "frames by themselves, each up to its own highest."
)
GAPS = " Red: frames that are not analysed."


def draw(
    survey: Survey, material: Material, _wish: Wish, progress: Progress
) -> Iterator[Drawn | Remark]:
    """Angle, latents, trends, silicon."""
    steps = 4
    angles = [each for each in survey.spreads if each.quantity.column == ANGLE]
    others = [each for each in survey.spreads if each.quantity.column != ANGLE]
    for number, spread in enumerate(angles):
        yield _angle(material, spread, "angle" if number == 0 else f"angle-{number}")
    progress(1, steps)
    if others:
        yield _latents(material, others)
    else:
        yield Remark("There are no atoms: angle and latents are of nothing.")
    progress(2, steps)
    yield _trends(material)
    progress(3, steps)
    if np.isfinite(survey.silicon.to_edge_nm).any():
        yield _silicon(material, survey)
    elif len(survey.silicon.frame):
        yield Remark("No frame with Si shows a hole: there is no edge to be far from.")
    else:
        yield Remark("No Si was found in any frame.")
    progress(4, steps)


def _angle(material: Material, spread: Spread, name: str) -> Drawn:
    course = course_of(material, spread)
    density = whole_density(spread)
    peaks = two_peaks(density, spread.bins) or ()
    told = "It has no two peaks."
    if peaks:
        distance = apart(*peaks, spread.bins)
        told = (
            f"Its two highest peaks, at {peaks[0]:.1f}° and {peaks[1]:.1f}°, are "
            f"{distance:.1f}° apart; the two sublattices of graphene are 60° apart."
        )
    return Drawn(
        name=name,
        title=f"Orientation: {spread.quantity.title}",
        caption=(
            f"Above: all {spread.counts.sum():,} atoms of the stream, within one "
            f"period of {spread.quantity.period:g}°. {told} Below: over time. "
            f"{ROWS} {_smoothed([spread])}{GAPS}"
        ),
        figure=whole(density, course, peaks),
        tables={
            f"{name}-histogram": pa.table(
                {
                    "low_deg": spread.bins.edges[:-1],
                    "high_deg": spread.bins.edges[1:],
                    "atoms": spread.counts.sum(axis=0),
                    "density_per_deg": density,
                }
            ),
            f"{name}-peaks": pa.table({"peak_deg": pa.array(peaks, pa.float64())}),
            **course_tables(material, spread, course, name),
        },
    )


def _latents(material: Material, spreads: list[Spread]) -> Drawn:
    courses = [course_of(material, spread) for spread in spreads]
    tables: dict[str, pa.Table] = {}
    for number, (spread, course) in enumerate(zip(spreads, courses, strict=True)):
        name = spread.quantity.column
        # Two models may have latents of the same name.
        name = name if f"{name}-ridge" not in tables else f"{name}-{number}"
        tables |= course_tables(material, spread, course, name)
    return Drawn(
        name="latents",
        title="Latents over time",
        caption=f"{ROWS} {_smoothed(spreads)}{GAPS}",
        figure=over_time(courses),
        tables=tables,
    )


def _smoothed(spreads: list[Spread]) -> str:
    told = ", ".join(
        f"{100 * width_of(each):.2g} % ({each.quantity.title})" for each in spreads
    )
    return f"Smoothed by a Gaussian with a standard deviation of, of the range: {told}."


def _trends(material: Material) -> Drawn:
    table = trend_table(material.analyses)

    def column(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.asarray(table[name].to_numpy(), np.float64)

    hole, order, lattice, density = style.SERIES
    constant = Line(
        column("lattice_constant_nm"),
        lattice,
        sigma=column("lattice_constant_sigma_nm"),
    )
    densities = [Line(column("density_nm2"), density)]
    if (column("hole_area_nm2") > 0).any():
        densities = [
            replace(densities[0], name="of the frame"),
            Line(column("sheet_density_nm2"), lattice, "of what is no hole"),
        ]
    panels = (
        Panel("C atoms", (Line(column("c"), style.SPECIES[0]),), least=4),
        Panel("Si atoms", (Line(column("si"), style.SPECIES[1]),), least=4),
        Panel("hole area (nm²)", (Line(column("hole_area_nm2"), hole),), least=1),
        Panel("mean crystallinity", (Line(column("mean_crystallinity"), order),), 0.02),
        Panel("areal density (atoms/nm²)", tuple(densities), least=0.5),
        Panel("lattice constant (nm)", (constant,), least=0.0005),
    )
    return Drawn(
        name="trends",
        title="The frame in numbers",
        caption=(
            "Atoms by species; area with no atom within 0.3 nm; mean crystallinity of "
            "the atoms whose sub-images lie within the frame; atoms per area of the "
            "frame, and of what is left of it without holes; lattice constant where "
            "the lattice is at rest, with its standard uncertainty as a "
            f"band.{GAPS} Dashed: another model takes over."
        ),
        figure=trends(panels, timeline_of(material.analyses)),
        tables={"trends": table},
    )


def _silicon(material: Material, survey: Survey) -> Drawn:
    found, records = survey.silicon, material.analyses
    seqs = np.array([record.frame.seq for record in records])
    times = np.array([record.frame.exposure.time_s for record in records])
    return Drawn(
        name="silicon",
        title="Silicon and edges",
        caption=(
            "Each dot is a Si atom of a frame: its distance from the nearest atom that "
            "borders a hole (an area with no atom within 0.3 nm), 0 for one that does. "
            "Open: the frame's border is nearer, and an edge beyond it is not seen, so "
            "the true distance may be less. Frames without a hole have no dots. Right: "
            f"how many Si there are, and how many of them are at an edge.{GAPS}"
        ),
        figure=silicon(
            found.frame, found.to_edge_nm, found.to_border_nm, timeline_of(records)
        ),
        tables={
            "silicon": pa.table(
                {
                    "frame": seqs[found.frame],
                    "time_s": pa.array(times[found.frame], from_pandas=True),
                    "x_nm": found.x_nm,
                    "y_nm": found.y_nm,
                    "to_edge_nm": pa.array(found.to_edge_nm, from_pandas=True),
                    "to_border_nm": found.to_border_nm,
                }
            )
        },
    )
