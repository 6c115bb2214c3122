"""What all plots over time have in common: the axis, gaps, changes of the model."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from atomstream.report.figures import style
from atomstream.report.timeline import Timeline

UNEVEN = 0.01
"""Of the whole dose: farther than this from a straight line it has no axis."""


def mark(axes: Axes, timeline: Timeline) -> None:
    """Shade what is missing, and draw a line where another model takes over."""
    for left, right in timeline.gaps:
        axes.axvspan(left, right, color=style.GAP, alpha=0.22, linewidth=0)
    for change in timeline.changes:
        axes.axvline(change, color=style.MARK, linewidth=1, linestyle="--")
    if timeline.starts[0] < timeline.ends[-1]:
        axes.set_xlim(float(timeline.starts[0]), float(timeline.ends[-1]))
    axes.set_xlabel(timeline.label)


def add_dose(axes: Axes, timeline: Timeline) -> None:
    """A second axis above, of the accumulated dose, where it grows evenly."""
    at, dose = timeline.at, timeline.dose_e_nm2
    if dose is None:
        return
    slope = (dose[-1] - dose[0]) / (at[-1] - at[0])
    even = dose[0] + (at - at[0]) * slope
    if np.abs(dose - even).max() > UNEVEN * dose[-1]:
        return
    exponent = int(np.floor(np.log10(dose[-1])))
    power = 10.0**exponent

    def dose_at(x: ArrayLike) -> NDArray[np.float64]:
        along = np.asarray(x, np.float64)
        return np.asarray((dose[0] + (along - at[0]) * slope) / power)

    def at_dose(y: ArrayLike) -> NDArray[np.float64]:
        electrons = power * np.asarray(y, np.float64)
        return np.asarray(at[0] + (electrons - dose[0]) / slope)

    above = axes.secondary_xaxis("top", functions=(dose_at, at_dose))
    above.set_xlabel(f"accumulated dose (10$^{{{exponent}}}$ e/nm²)")
