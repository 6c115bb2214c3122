"""A quantity over time, from what was counted of it."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from atomstream.report.figures.spread import Course
from atomstream.report.material import Material
from atomstream.report.survey import Spread
from atomstream.report.timeline import Timeline, timeline_of
from inference.densities import bandwidth, densities, ridges


def course_of(material: Material, spread: Spread) -> Course:
    """Densities and ridges, a row for each frame or group of frames."""
    density = densities(spread.counts, spread.bins, width_of(spread))
    return Course(
        label=spread.quantity.label,
        bins=spread.bins,
        density=density,
        ridges=ridges(density, spread.bins),
        timeline=_of_rows(material, spread),
        first=_first(material, spread),
    )


def whole_density(spread: Spread) -> NDArray[np.float64]:
    """(bins,) of all frames together."""
    return densities(spread.counts.sum(axis=0), spread.bins, width_of(spread))


def width_of(spread: Spread) -> float:
    """By what its densities are smoothed, as a share of the range."""
    return bandwidth(spread.counts, spread.bins)


def course_tables(
    material: Material, spread: Spread, course: Course, name: str
) -> dict[str, pa.Table]:
    """The densities, and the ridges, in rows."""
    unit = "_deg" if spread.quantity.unit else ""
    first = course.first
    rows, bins = spread.counts.shape
    times = _times(material, spread)
    lines = course.ridges
    return {
        f"{name}-density": pa.table(
            {
                "frame": np.repeat(first, bins),
                "time_s": pa.array(np.repeat(times, bins), from_pandas=True),
                f"value{unit}": np.tile(spread.bins.middles, rows),
                "atoms": spread.counts.ravel(),
                "density": pa.array(course.density.ravel(), from_pandas=True),
            }
        ),
        f"{name}-ridge": pa.table(
            {
                "frame": first[lines.row],
                "time_s": pa.array(times[lines.row], from_pandas=True),
                f"value{unit}": lines.value,
                "density": lines.density,
            }
        ),
    }


def _rows(spread: Spread) -> NDArray[np.intp]:
    """(rows,): which analysis of the material is the first of each row."""
    return spread.frames[np.searchsorted(spread.groups, np.arange(len(spread.counts)))]


def _first(material: Material, spread: Spread) -> NDArray[np.intp]:
    seqs = [material.analyses[place].frame.seq for place in _rows(spread)]
    return np.array(seqs, np.intp)


def _times(material: Material, spread: Spread) -> NDArray[np.float64]:
    records = material.analyses
    return np.array([records[i].frame.exposure.time_s for i in _rows(spread)])


def _of_rows(material: Material, spread: Spread) -> Timeline:
    """The axis of the rows: from the start of the first frame to that of the next."""
    whole = timeline_of([material.analyses[place] for place in spread.frames])
    firsts = np.searchsorted(spread.groups, np.arange(len(spread.counts)))
    lasts = np.append(firsts[1:], len(spread.groups)) - 1
    return Timeline(
        label=whole.label,
        at=(whole.at[firsts] + whole.at[lasts]) / 2,
        starts=whole.starts[firsts],
        ends=whole.ends[lasts],
        dose_e_nm2=None,
        changes=whole.changes,
    )
