"""How it was found out: a paragraph to be pasted, enough to do it again."""

import math
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import pyarrow as pa

from atomstream.report.facts import gaps_of
from atomstream.report.material import AtHand, Material
from atomstream.words import count_in_words, span_in_words
from inference.card import Card, HarmonicsEncoderCard
from inference.holes import HOLE_RADIUS_NM
from streamer.analysis import Flag, ModelId
from streamer.session.records import AnalysisRecord, FrameRecord

PACKAGES = (
    "atomstream", "numpy", "scipy", "onnxruntime", "matplotlib", "scikit-learn",
    "scikit-image", "pillow", "pyarrow",
)  # fmt: skip


def methods(material: Material, command: str) -> list[str]:
    """Paragraphs in plain text.

    Parameters
    ----------
    command
        By which this report was made.
    """
    paragraphs = [_recording(material)]
    paragraphs += [_by_model(material, model) for model in material.used]
    paragraphs += [_counts(material), _drawing(), _software(command)]
    return [each for each in paragraphs if each]


def methods_tables(material: Material) -> dict[str, pa.Table]:
    """Models with the hash of each file, the ledger of gaps, flags, versions."""
    tables = {
        "models": pa.Table.from_pylist(list(_model_rows(material))),
        "gaps": pa.Table.from_pylist(
            [
                {"first": gap.first, "last": gap.last, "reason": gap.reason}
                for gap in gaps_of(material)
            ]
        ),
        "flags": pa.Table.from_pylist(
            [
                {"flag": str(flag), "frames": count}
                for flag, count in _flags(material.analyses).items()
            ]
        ),
        "versions": pa.Table.from_pylist(
            [
                {"package": name, "version": number}
                for name, number in versions().items()
            ]
        ),
    }
    return {name: table for name, table in tables.items() if len(table)}


def versions() -> dict[str, str]:
    """Of this program, Python, and what numbers depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"python": platform.python_version(), **found}


def _recording(material: Material) -> str:
    stream = material.stream
    frames = material.session.frames(stream.stream.id)
    if not frames:
        return f"Stream {stream.stream.id} has no frames."
    gaps = gaps_of(material)
    lost = sum(gap.last - gap.first + 1 for gap in gaps)
    missing = f"; {count_in_words(lost, 'frame')} could not be had" if lost else ""
    return (
        f"{count_in_words(len(frames), 'frame')} of {_shapes(frames)} "
        f"({stream.stream.source}, channel {stream.stream.channel}, stream "
        f"{stream.stream.id}), received {moment(frames[0].received_ns)} to "
        f"{moment(frames[-1].received_ns)}{missing}. "
        f"{stream.analyses} of them were analysed{_aside(stream.aside)}."
    )


def _by_model(material: Material, model: ModelId) -> str:
    records = material.by(model)
    here = material.models.get(model.sha256)
    where = f"Frames {records[0].frame.seq} to {records[-1].frame.seq}"
    if len(records) == 1:
        where = f"Frame {records[0].frame.seq}"
    named = f"{where} by the model {model.name} (SHA-256 of its card {model.sha256})"
    pixels = _pixel_sizes(records)
    if here is None:
        return f"{named}, whose files were not at hand. {pixels}"
    return f"{named}. {pixels} {_how(here.model.card, _fitted(records))}"


def _how(card: Card, fitted: bool) -> str:
    dcnn, encoder = card.dcnn, card.encoder
    seen = (
        f"{len(encoder.rings_nm)} rings of angular harmonics within a disc of "
        f"{encoder.window_nm:g} nm"
        if isinstance(encoder, HarmonicsEncoderCard)
        else f"a window of {encoder.side_px} px ({encoder.window_nm:.3g} nm)"
    )
    placed = (
        "Positions were measured by a maximum-likelihood fit of all atoms to the frame."
        if fitted
        else "Positions are those of the probability's peaks."
    )
    return (
        f"Each frame was resampled to {dcnn.pixel_size_nm:g} nm per pixel, "
        f"{dcnn.normalisation} normalisation, and segmented into probabilities of "
        f"{', '.join(dcnn.classes)}. Atoms are maxima of the probability of C and Si "
        f"together above {dcnn.threshold:g}; an atom is Si where its calibrated "
        f"probability is at least {dcnn.silicon.threshold:g}. {placed} The sum of "
        f"both probabilities around each atom, as {seen} at {encoder.pixel_size_nm:g} "
        f"nm per pixel, was encoded into an angle that repeats after "
        f"{math.degrees(encoder.angle_period_rad):g}° and the latents "
        f"{', '.join(encoder.latents)}."
    )


def _fitted(records: Sequence[AnalysisRecord]) -> bool:
    return any("refine" in record.stages_ms for record in records)


def _pixel_sizes(records: Sequence[AnalysisRecord]) -> str:
    sizes = [record.pixel_size_nm for record in records if record.pixel_size_nm]
    sources = Counter(
        str(record.pixel_size_source)
        for record in records
        if record.pixel_size_source is not None
    )
    if not sizes:
        return "The pixel size is not known."
    told = ", ".join(sources)
    return f"Pixels of {span_in_words(sizes)} nm ({told})."


def _counts(material: Material) -> str:
    records = material.analyses
    if not records:
        return ""
    total: Counter[str] = Counter()
    for record in records:
        total.update(record.summary.counts)
    found = " and ".join(f"{count:,} {name}" for name, count in total.items())
    flags = _flags(records)
    told = ", ".join(f"{count} {flag}" for flag, count in flags.items()) or "none"
    providers = ", ".join(sorted({record.provider for record in records}))
    return (
        f"In all frames {found} were found (flags: {told}; execution provider: "
        f"{providers})."
    )


def _drawing() -> str:
    return (
        f"A hole is where no atom is within {HOLE_RADIUS_NM:g} nm. Densities over time "
        "are of the atoms whose sub-images lie within the frame, smoothed by a "
        "Gaussian (Silverman's rule, the width is in the caption). "
        "Probabilities are not kept in a session: they were computed again, by the "
        "same network, from the stored frame."
    )


def _software(command: str) -> str:
    told = ", ".join(f"{name} {number}" for name, number in versions().items())
    return f"Made with {told}, by: {command}"


def _flags(records: Sequence[AnalysisRecord]) -> Counter[Flag]:
    return Counter(flag for record in records for flag in record.flags)


def _aside(count: int) -> str:
    return f", {count_in_words(count, 'frame')} set aside" if count else ""


def _shapes(frames: Sequence[FrameRecord]) -> str:
    shapes = dict.fromkeys(frame.shape for frame in frames)
    return " and ".join(
        f"{rows} x {cols} pixels (rows x columns)" for rows, cols in shapes
    )


def moment(ns: int) -> str:
    """A time in UTC, in words."""
    return f"{datetime.fromtimestamp(ns // 10**9, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _model_rows(material: Material) -> Iterator[dict[str, str]]:
    for model in material.used:
        here: AtHand | None = material.models.get(model.sha256)
        yield {"model": model.name, "file": "card.json", "sha256": model.sha256}
        files = here.model.card.files if here else {}
        for file, sha256 in files.items():
            yield {"model": model.name, "file": file, "sha256": sha256}
