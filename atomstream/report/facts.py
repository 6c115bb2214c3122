"""A session in numbers, for the top of the page, and what its reader must know."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from atomstream.report.material import Material
from atomstream.report.numbers import scientific
from atomstream.report.survey import Survey
from atomstream.words import count_in_words, span_in_words
from streamer.analysis import Flag
from streamer.session.records import AnalysisRecord, GapRecord

type Fact = tuple[str, str]
"""What, and how much."""


def facts(material: Material, survey: Survey) -> list[Fact]:
    """The headline numbers; those that are unknown are left out."""
    records = material.analyses
    stream = material.stream
    told: list[Fact] = [
        ("source", f"{stream.stream.source} / {stream.stream.channel}"),
        ("frames analysed", f"{stream.analyses} of {stream.frames}"),
    ]
    if not records:
        return told
    atoms = sum(sum(record.summary.counts.values()) for record in records)
    told.append(("atoms, all frames", f"{atoms:,}"))
    told += _exposure(records[-1])
    told += _size(records)
    told += _course("C", [record.summary.counts.get("C", 0) for record in records])
    told += _course("Si", [record.summary.counts.get("Si", 0) for record in records])
    holes = [record.summary.hole_area_nm2 for record in records]
    told += _course("hole area, nm²", holes)
    order = [record.summary.mean_crystallinity for record in records]
    told += _course("mean crystallinity", order)
    edges = survey.silicon.to_edge_nm
    if len(edges):
        at_edge = (edges == 0).mean()
        told.append(("Si at an edge, all frames", f"{100 * at_edge:.0f} %"))
    return told


def remarks(material: Material) -> list[str]:
    """What is not as a reader would take for granted, a sentence each."""
    return [
        *_other_streams(material),
        *_unfinished(material),
        *_gaps(gaps_of(material)),
        *_sizes(material.analyses),
        *_swaps(material),
        *_flags(material.analyses),
        *_without_time(material.analyses),
    ]


def gaps_of(material: Material) -> list[GapRecord]:
    """The ledger of this stream."""
    stream_id = material.stream.stream.id
    return [gap for gap in material.session.gaps() if gap.stream_id == stream_id]


def _exposure(last: AnalysisRecord) -> Iterator[Fact]:
    exposure = last.frame.exposure
    if math.isfinite(exposure.time_s):
        yield "time to the last frame", f"{exposure.time_s / 60:.1f} min"
    if math.isfinite(exposure.dose_e_nm2) and exposure.dose_e_nm2 > 0:
        yield "accumulated dose", f"{scientific(exposure.dose_e_nm2)} e/nm²"


def _size(records: Sequence[AnalysisRecord]) -> Iterator[Fact]:
    rows, cols = records[-1].frame.shape
    pixel_nm = records[-1].pixel_size_nm
    field = f", {cols * pixel_nm:.3g} x {rows * pixel_nm:.3g} nm" if pixel_nm else ""
    yield "frame", f"{cols} x {rows} px{field}"


def _course(name: str, values: Sequence[float]) -> Iterator[Fact]:
    known = [value for value in values if math.isfinite(value)]
    if known:
        first, last = (f"{value:.4g}" for value in (known[0], known[-1]))
        yield name, first if len(known) == 1 else f"{first} → {last}"


def _other_streams(material: Material) -> Iterator[str]:
    others = [each for each in material.session.streams() if each != material.stream]
    if others:
        told = ", ".join(
            f"{each.number} ({each.stream.source} / {each.stream.channel}, "
            f"{each.analyses} analysed)"
            for each in others
        )
        yield (
            f"This is stream {material.stream.number} of the session. It has "
            f"{count_in_words(len(others), 'other stream')}, which --stream N reports: "
            f"{told}."
        )


def _unfinished(material: Material) -> Iterator[str]:
    stream = material.stream
    waiting = stream.frames - stream.analyses - stream.aside
    if stream.total is None:
        yield (
            "The stream is still open, or its source broke off: this is what was "
            "committed when the report was made."
        )
    if waiting:
        yield (
            f"{count_in_words(waiting, 'frame')} not analysed yet: atomstream serve, "
            "or analyze, on this session goes on with them."
        )
    if stream.aside:
        yield (
            f"{count_in_words(stream.aside, 'frame')} set aside: atomstream sessions "
            "show says why."
        )
    if not stream.analyses:
        yield "No frame of this stream is analysed, so there is nothing to draw."


def _gaps(gaps: Sequence[GapRecord]) -> Iterator[str]:
    if gaps:
        lost = sum(gap.last - gap.first + 1 for gap in gaps)
        yield (
            f"{count_in_words(lost, 'frame')} of the stream could not be had, in "
            f"{count_in_words(len(gaps), 'gap')}: red in plots over time, and listed "
            "under methods."
        )


def _sizes(records: Sequence[AnalysisRecord]) -> Iterator[str]:
    shapes = Counter(record.frame.shape for record in records)
    if len(shapes) > 1:
        told = ", ".join(
            f"{count} of {cols} x {rows} px" for (rows, cols), count in shapes.items()
        )
        yield (
            f"Frames have {len(shapes)} sizes ({told}): counts and areas of different "
            "fields do not compare, densities do."
        )
    pixels = {record.pixel_size_nm for record in records if record.pixel_size_nm}
    if len(pixels) > 1:
        yield f"Pixels of {span_in_words(sorted(pixels))} nm were used."


def _swaps(material: Material) -> Iterator[str]:
    if len(material.used) < 2:
        return
    told = ", then ".join(
        f"{model.name} ({model.sha256[:12]}…), {len(material.by(model))} frames"
        for model in material.used
    )
    yield (
        f"More than one model was used: {told}. Angle and crystallinity are drawn "
        "together, though crystallinity is each model's own measure; other latents "
        "apart."
    )


def _flags(records: Sequence[AnalysisRecord]) -> Iterator[str]:
    flags = Counter(flag for record in records for flag in record.flags)
    if flags:
        told = ", ".join(f"{count} {flag}" for flag, count in flags.items())
        yield f"Frames are flagged: {told}."
    if records and flags[Flag.NO_ATOMS] == len(records):
        yield "No frame has atoms."


def _without_time(records: Sequence[AnalysisRecord]) -> Iterator[str]:
    unknown = [r for r in records if not math.isfinite(r.frame.exposure.time_s)]
    if unknown:
        yield (
            "The frames do not say when they were scanned: plots are over the number "
            "of the frame."
        )
