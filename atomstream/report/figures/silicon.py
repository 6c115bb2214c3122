"""How far Si atoms are from the edges of holes, over time."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from atomstream.report.figures import style
from atomstream.report.figures.over_time import mark
from atomstream.report.timeline import Timeline


@style.styled
def silicon(
    frame: NDArray[np.intp],
    to_edge_nm: NDArray[np.float64],
    to_border_nm: NDArray[np.float64],
    timeline: Timeline,
) -> Figure:
    """A dot for each Si atom, their median, and how many are at an edge.

    Parameters
    ----------
    frame
        (N,): place of each atom's frame in `timeline`.
    to_edge_nm
        (N,): NaN where no edge is seen.
    to_border_nm
        (N,): where this is less, an edge beyond the frame may be nearer.
    """
    figure = style.new_figure(3.4)
    left, right = figure.subplots(1, 2, width_ratios=[1.6, 1])
    sure = to_edge_nm <= to_border_nm
    kinds = ((sure, style.SPECIES[1], "Si"), (~sure, "none", "Si, at most"))
    for chosen, face, name in kinds:
        at = timeline.at[frame[chosen]]
        left.plot(
            at, to_edge_nm[chosen], linestyle="", marker="o", markersize=3.5,
            color=style.SPECIES[1], markerfacecolor=face, markeredgewidth=0.6,
            alpha=0.6, label=name if chosen.any() else None,
            rasterized=True,
        )  # fmt: skip
    frames = np.arange(len(timeline.at))
    known = [to_edge_nm[(frame == i) & np.isfinite(to_edge_nm)] for i in frames]
    median = [float(np.median(values)) if len(values) else np.nan for values in known]
    left.plot(timeline.at, median, color=style.INK, linewidth=1.4, label="median")
    left.set(ylabel="distance of Si from the nearest edge (nm)", ylim=(0, None))
    left.legend(loc="best", ncols=3)
    at_edge = [int((values == 0).sum()) for values in known]
    total = [int((frame == i).sum()) for i in frames]
    right.plot(timeline.at, total, color=style.MUTED, linewidth=1.2, label="all")
    right.plot(
        timeline.at, at_edge, color=style.SPECIES[1], linewidth=1.2, label="at an edge"
    )
    right.set(ylabel="Si atoms", ylim=(0, None))
    right.legend(loc="best")
    for axes in (left, right):
        mark(axes, timeline)
    return figure
