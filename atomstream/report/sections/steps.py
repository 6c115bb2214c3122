"""The movie in steps."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from atomstream.report.figure import Drawn, Progress, Remark, Section, Wish
from atomstream.report.figures.steps import steps
from atomstream.report.material import Material, evenly
from atomstream.report.sections.probabilities import why_no_maps
from atomstream.report.trend_table import trend_table
from atomstream.report.views import view_of
from streamer.analysis import Flag
from streamer.session.records import AnalysisRecord

STEPS = 6


def draw(
    material: Material, _wish: Wish, progress: Progress
) -> Iterator[Drawn | Remark]:
    """One figure of frames from the first with atoms to the last."""
    seen = [each for each in material.analyses if Flag.NO_ATOMS not in each.flags]
    chosen = evenly(seen, STEPS)
    if not chosen:
        yield Remark("There are no atoms in any frame: there is nothing to show.")
        return
    views = []
    for number, record in enumerate(chosen):
        views.append(view_of(material, record, maps=True))
        progress(number + 1, len(chosen))
    if all(view.carbon is None for view in views):
        yield Remark(why_no_maps(material, chosen[0]))
        return
    yield Drawn(
        name="steps",
        title="The movie in steps",
        caption=(
            "Probability of C (blue) and Si (orange) at the start, at even steps and "
            "at the end of the stream, with the time since its first frame and the "
            "dose accumulated to the end of each frame. All on one scale of length; "
            "rings in wide fields: Si that was found."
        ),
        figure=steps(views),
        tables={"steps": _numbers(chosen)},
        shown=("steps",),
    )


def _numbers(records: Sequence[AnalysisRecord]) -> pa.Table:
    wanted = ["frame", "time_s", "dose_e_nm2", "c", "si", "hole_area_nm2"]
    return trend_table(records).select([*wanted, "mean_crystallinity"])


SECTION = Section("steps", "The movie in steps", draw)
