"""One frame in numbers, as header fields."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

from streamer.analysis import Summary
from streamer.atoms import SPECIES
from streamer.header import Fields
from streamer.histogram import Histogram

MAX_ATOMS = 2_000_000
"""Of one frame: over a hundred times what a frame of graphene holds."""
MAX_LATENTS = 64
MAX_HISTOGRAMS = MAX_LATENTS + 1
"""Of the latents and the angle."""
MAX_BINS = 256
"""Of a histogram."""


def summary_fields(summary: Summary) -> dict[str, object]:
    """`summary` as a map."""
    return {
        "counts": dict(summary.counts),
        "area_nm2": summary.area_nm2,
        "density_nm2": summary.density_nm2,
        "hole_area_nm2": summary.hole_area_nm2,
        "bond_length_nm": summary.bond_length_nm,
        "mean_crystallinity": summary.mean_crystallinity,
        "lattice_constant_nm": summary.lattice_constant_nm,
        "lattice_constant_sigma_nm": summary.lattice_constant_sigma_nm,
        "histograms": histogram_fields(summary.histograms),
    }


def histogram_fields(histograms: Mapping[str, Histogram]) -> dict[str, object]:
    """`histograms` as a map of maps."""
    return {
        name: {**asdict(each), "counts": list(each.counts)}
        for name, each in histograms.items()
    }


def read_summary(fields: Fields) -> Summary:
    """The frame in numbers."""
    counts = fields.inner("counts", len(SPECIES))
    return Summary(
        counts=MappingProxyType({name: counts.count(name) for name in counts.values}),
        area_nm2=fields.real("area_nm2"),
        density_nm2=fields.real("density_nm2"),
        hole_area_nm2=fields.real("hole_area_nm2"),
        bond_length_nm=fields.real("bond_length_nm"),
        mean_crystallinity=fields.real("mean_crystallinity"),
        lattice_constant_nm=real_or_nan(fields, "lattice_constant_nm"),
        lattice_constant_sigma_nm=real_or_nan(fields, "lattice_constant_sigma_nm"),
        histograms=fields.optional(
            lambda name: read_histograms(fields, name), "histograms"
        )
        or {},
    )


def real_or_nan(fields: Fields, name: str) -> float:
    """A real number; NaN where the field is nil or absent."""
    value = fields.optional(fields.real, name)
    return math.nan if value is None else value


def read_histograms(fields: Fields, name: str) -> Mapping[str, Histogram]:
    """The histogram of each quantity."""
    named = fields.inner(name, MAX_HISTOGRAMS)
    return MappingProxyType(
        {key: read_histogram(named.inner(key)) for key in named.values}
    )


def read_histogram(fields: Fields) -> Histogram:
    """One histogram, of at least one bin."""
    low, high = fields.real("low"), fields.real("high")
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise fields.unexpected("high", f"a finite number greater than low, {low}")
    counts = fields.items("counts", MAX_BINS, least=1)
    return Histogram(
        low=low,
        high=high,
        counts=tuple(counts.count(key, MAX_ATOMS) for key in counts.values),
        below=fields.count("below", MAX_ATOMS),
        above=fields.count("above", MAX_ATOMS),
        unknown=fields.count("unknown", MAX_ATOMS),
    )
