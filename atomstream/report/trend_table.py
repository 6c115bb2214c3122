"""Each frame in numbers: one row an analysis."""

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from streamer.analysis import Flag
from streamer.atoms import SPECIES
from streamer.lattice import lattice_drift_percent
from streamer.session.records import AnalysisRecord


def trend_table(records: Sequence[AnalysisRecord]) -> pa.Table:
    """What is known of each frame as a whole, by `seq`; empty (null) for NaN."""
    summaries = [record.summary for record in records]
    numbers: dict[str, Sequence[float | None]] = {
        "time_s": [record.frame.exposure.time_s for record in records],
        "dose_e_nm2": [record.frame.exposure.dose_e_nm2 for record in records],
        "pixel_size_nm": [record.pixel_size_nm for record in records],
        "area_nm2": [each.area_nm2 for each in summaries],
        "hole_area_nm2": [each.hole_area_nm2 for each in summaries],
        "density_nm2": [each.density_nm2 for each in summaries],
        "sheet_density_nm2": [sheet_density_nm2(record) for record in records],
        "mean_crystallinity": [each.mean_crystallinity for each in summaries],
        "bond_length_nm": [each.bond_length_nm for each in summaries],
        "lattice_constant_nm": [each.lattice_constant_nm for each in summaries],
        "lattice_constant_sigma_nm": [
            each.lattice_constant_sigma_nm for each in summaries
        ],
        "lattice_drift_percent": drift_percent(records),
    }
    whole = {
        name.lower(): [each.counts.get(name, 0) for each in summaries]
        for name in SPECIES
    }
    words = {
        "model_sha256": [record.model.sha256 for record in records],
        "flags": [" ".join(record.flags) for record in records],
    }
    return pa.table(
        {
            "frame": pa.array([record.frame.seq for record in records], pa.int64()),
            **{name: pa.array(values, pa.int64()) for name, values in whole.items()},
            **{
                name: pa.array(values, pa.float64(), from_pandas=True)
                for name, values in numbers.items()
            },
            **{name: pa.array(values, pa.string()) for name, values in words.items()},
        }
    )


def sheet_density_nm2(record: AnalysisRecord) -> float:
    """Atoms per nm² of what is no hole; NaN where nothing is left, or known."""
    summary = record.summary
    sheet_nm2 = summary.area_nm2 - summary.hole_area_nm2
    atoms = sum(summary.counts.values())
    return atoms / sheet_nm2 if sheet_nm2 > 0 else math.nan


def drift_percent(records: Sequence[AnalysisRecord]) -> list[float]:
    """Of the lattice constant, against the first frame that shows a lattice."""
    drift = lattice_drift_percent(
        np.array([record.summary.lattice_constant_nm for record in records]),
        np.array([record.pixel_size_nm or np.nan for record in records]),
        np.array(
            [Flag.PIXEL_SIZE_ESTIMATED in record.flags for record in records], bool
        ),
    )
    return [float(value) for value in drift]
