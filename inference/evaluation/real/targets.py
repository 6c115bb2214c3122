"""What should be found on real frames, and whether it is."""

import math
from collections.abc import Iterator

from inference.evaluation.reach import Reach, Row
from inference.evaluation.real.disturbed import Agreement
from inference.evaluation.real.frames import RecordingFigures
from inference.evaluation.real.labelled import LabelsFound

ALL = Reach(low=1)
NOISE = {2.0: (Reach(low=0.985), Reach(low=0.97)), 3.0: (Reach(low=0.93), Reach(0.94))}
"""(recall, precision) by the factor."""
SCALED = Reach(low=0.98)
EVERYWHERE = "all recordings"


def real_rows(figures: list[RecordingFigures]) -> Iterator[Row]:
    """What was measured, with what it should be."""
    for recording in figures:
        if recording.labels:
            yield from _label_rows(recording.name, recording.labels)
        yield from _sheet_rows(recording)
        yield from _disturbed_rows(recording.name, recording.noise, recording.scale)
    yield from _disturbed_rows(
        EVERYWHERE,
        _pooled([recording.noise for recording in figures]),
        _pooled([recording.scale for recording in figures]),
    )


def _label_rows(where: str, labels: LabelsFound) -> Iterator[Row]:
    yield Row("labelled Si found", where, labels.silicon.share, ALL)
    yield Row("Si from its label, pm", where, labels.silicon_median_pm, Reach(high=10))
    yield Row("false Si", where, labels.silicon_false, Reach(high=0))
    yield Row("frames with right Si", where, labels.right_count.share, ALL)
    yield Row("C beside Si found", where, labels.carbon.share, Reach(low=0.98))


def _sheet_rows(recording: RecordingFigures) -> Iterator[Row]:
    where, sheet = recording.name, recording.sheet
    yield Row("atoms, nm⁻²", where, sheet.inner_density_nm2, Reach(36.5, 38.5))
    # The summary of an analysis takes its bond length from the network's positions.
    yield Row("bond, nm", where, sheet.bond_net_nm)
    yield Row("measured bond, nm", where, sheet.bond_nm)
    nearest = sheet.nearest_net_nm
    yield Row("nearest, nm", where, nearest, Reach(0.1405, 0.1440))
    yield Row("measured nearest, nm", where, sheet.nearest_nm)
    inside = recording.contamination.atoms_nm2
    if not math.isnan(inside):
        yield Row("contamination, nm⁻²", where, inside, Reach(high=1))


def _disturbed_rows(
    where: str, noise: dict[float, Agreement], scale: dict[float, Agreement]
) -> Iterator[Row]:
    for factor, agreement in noise.items():
        recall, precision = NOISE[factor]
        name = f"{factor:g} x noise"
        yield Row(f"recall at {name}", where, agreement.recall.share, recall)
        yield Row(f"precision at {name}", where, agreement.precision.share, precision)
        measured = agreement.measured_recall.share
        yield Row(f"measured recall at {name}", where, measured)
    for factor, agreement in scale.items():
        share = agreement.recall.share
        yield Row(f"recall at a scale of {factor:g}", where, share, SCALED)


def _pooled(tables: list[dict[float, Agreement]]) -> dict[float, Agreement]:
    """Atoms of all recordings together."""
    return {
        factor: sum((table[factor] for table in tables), Agreement())
        for factor in tables[0]
    }
