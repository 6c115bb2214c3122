"""Queries of a session's index, and the records that their rows become."""

import json
import math
import sqlite3

from streamer.analysis import Flag, ModelId, Summary
from streamer.frame import Completeness, Stream, check_pixel_size
from streamer.histogram import Histogram
from streamer.session.exposure import Exposure
from streamer.session.records import (
    AnalysisRecord,
    AttemptRecord,
    EventRecord,
    FrameKey,
    FrameRecord,
    GapRecord,
    StreamRecord,
)

STREAMS = """
    SELECT *,
        (SELECT COUNT(*) FROM frames WHERE stream = streams.number) AS frames,
        (SELECT COUNT(*) FROM analyses JOIN frames ON frames.number = frame
            WHERE stream = streams.number) AS analyses,
        (SELECT COUNT(*) FROM attempts JOIN frames ON frames.number = frame
            WHERE stream = streams.number AND reason IS NOT NULL) AS aside
    FROM streams ORDER BY number
"""

FRAMES = """
    SELECT frames.*, streams.id FROM frames JOIN streams ON streams.number = stream
"""

ANALYSES = """
    SELECT frames.*, streams.id,
        analyses.pixel_size_nm AS used_pixel_size_nm,
        analyses.bytes AS table_bytes,
        analyses.sha256 AS table_sha256,
        name, latents, angle_period_rad,
        models.sha256 AS model_sha256,
        -- Last, and whatever there is: of columns of the same name the first counts.
        analyses.*
    FROM analyses
        JOIN frames ON frames.number = frame
        JOIN streams ON streams.number = stream
        JOIN models ON models.number = model
"""

GAPS = """
    SELECT gaps.*, streams.id FROM gaps JOIN streams ON streams.number = stream
"""

ATTEMPTS = """
    SELECT id, seq, tries, reason FROM attempts
        JOIN frames ON frames.number = frame
        JOIN streams ON streams.number = stream
"""

GAP_REASON = """
    SELECT reason FROM gaps JOIN streams ON streams.number = stream
        WHERE id = ? AND ? BETWEEN first AND last
"""

# A source may claim any number of frames: sums of integers would overflow.
TOTALS = """
    WITH losses AS (SELECT stream, first, last FROM gaps WHERE reason != ?)
    SELECT
        (SELECT COUNT(*) FROM frames) AS frames,
        (SELECT COUNT(*) FROM analyses) AS analyses,
        CAST((SELECT TOTAL(last - first + 1.0) FROM losses) - (
            SELECT COUNT(*) FROM losses JOIN frames ON frames.stream = losses.stream
                AND seq BETWEEN first AND last) AS INTEGER) AS lost,
        (SELECT COALESCE(SUM(bytes), 0) FROM frames)
            + (SELECT COALESCE(SUM(bytes), 0) FROM analyses) AS bytes
"""

PROGRESS = """
    SELECT
        (SELECT COUNT(*) FROM frames) AS frames,
        (SELECT COUNT(*) FROM frames
            WHERE number NOT IN (SELECT frame FROM analyses)
            AND number NOT IN (SELECT frame FROM attempts WHERE reason IS NOT NULL)
        ) AS waiting,
        (SELECT COUNT(*) FROM attempts WHERE reason IS NOT NULL) AS aside,
        (SELECT MIN(received_ns) FROM frames
            WHERE number NOT IN (SELECT frame FROM analyses)
            AND number NOT IN (SELECT frame FROM attempts WHERE reason IS NOT NULL)
        ) AS oldest_waiting_ns
"""

NEWEST = """
    SELECT received_ns, frames.bytes + COALESCE(analyses.bytes, 0) AS bytes
    FROM frames LEFT JOIN analyses ON frame = frames.number
    ORDER BY frames.number DESC LIMIT ?
"""

NEXT_SEQ = """
    SELECT MAX(
        COALESCE((SELECT MAX(seq) FROM frames WHERE stream = streams.number), -1),
        COALESCE((SELECT MAX(last) FROM gaps WHERE stream = streams.number), -1)
    ) + 1 FROM streams WHERE id = ?
"""


def stream_record(row: sqlite3.Row) -> StreamRecord:
    """Record of a row of `STREAMS`."""
    return StreamRecord(
        number=row["number"],
        stream=Stream(row["id"], row["source"], row["channel"]),
        frames=row["frames"],
        analyses=row["analyses"],
        aside=row["aside"],
        total=row["total"],
    )


def frame_record(row: sqlite3.Row) -> FrameRecord:
    """Record of a row of `FRAMES` or `ANALYSES`."""
    return FrameRecord(
        stream_id=row["id"],
        seq=row["seq"],
        received_ns=row["received_ns"],
        exposure=Exposure(_number(row["time_s"]), _number(row["dose_e_nm2"])),
        shape=(row["rows"], row["cols"]),
        pixel_size_nm=_pixel_size(row["pixel_size_nm"]),
        origin_nm=(row["x_nm"], row["y_nm"]),
        completeness=Completeness(row["completeness"]),
        valid_rows=row["valid_rows"],
        sent_ns=_later(row, "sent_ns"),
        committed_ns=_later(row, "committed_ns"),
    )


def analysis_record(row: sqlite3.Row) -> AnalysisRecord:
    """Record of a row of `ANALYSES`."""
    return AnalysisRecord(
        frame=frame_record(row),
        model=ModelId(
            name=row["name"],
            sha256=row["model_sha256"],
            latents=_names(row["latents"]),
            angle_period_rad=row["angle_period_rad"],
        ),
        provider=row["provider"],
        pixel_size_nm=_pixel_size(row["used_pixel_size_nm"]),
        flags=tuple(Flag(flag) for flag in json.loads(row["flags"])),
        summary=_summary(row),
        stages_ms=_numbers(row["stages_ms"]),
        latency_s=_number(row["latency_s"]),
        estimated_pixel_size_nm=_pixel_size(_later(row, "estimated_pixel_size_nm")),
        committed_ns=_later(row, "analysis_committed_ns"),
    )


def gap_record(row: sqlite3.Row) -> GapRecord:
    """Record of a row of `GAPS`."""
    return GapRecord(
        row["id"], row["first"], row["last"], row["reason"], row["noticed_ns"]
    )


def attempt_record(row: sqlite3.Row) -> AttemptRecord:
    """Record of a row of `ATTEMPTS`."""
    return AttemptRecord(FrameKey(row["id"], row["seq"]), row["tries"], row["reason"])


def event_record(row: sqlite3.Row) -> EventRecord:
    """Record of a row of the events."""
    return EventRecord(row["time_ns"], row["kind"], row["text"])


def _summary(row: sqlite3.Row) -> Summary:
    return Summary(
        counts=_numbers(row["counts"]),
        area_nm2=_number(row["area_nm2"]),
        density_nm2=_number(row["density_nm2"]),
        hole_area_nm2=_number(row["hole_area_nm2"]),
        bond_length_nm=_number(row["bond_length_nm"]),
        mean_crystallinity=_number(row["mean_crystallinity"]),
        lattice_constant_nm=_number(_later(row, "lattice_constant_nm")),
        lattice_constant_sigma_nm=_number(_later(row, "lattice_constant_sigma_nm")),
        histograms=_histograms(row),
    )


def _histograms(row: sqlite3.Row) -> dict[str, Histogram]:
    text = row["histograms"] if "histograms" in _columns(row) else None
    named = json.loads(text) if text else {}
    return {
        name: Histogram(**{**each, "counts": tuple(each["counts"])})
        for name, each in named.items()
    }


def _later[N: (int, float)](row: sqlite3.Row, column: str) -> N | None:
    """Value of a column that sessions of earlier versions lack: None."""
    return row[column] if column in _columns(row) else None


def _columns(row: sqlite3.Row) -> list[str]:
    return list(row.keys())


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _pixel_size(value: float | None) -> float | None:
    check_pixel_size(value)
    return value


def _names(text: str) -> tuple[str, ...]:
    """Names from a JSON list.

    Raises
    ------
    ValueError
        It is another thing.
    """
    names = json.loads(text)
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise ValueError(f"{text[:80]} is not a list of names")
    return tuple(names)


def _numbers[N: (int, float)](text: str) -> dict[str, N]:
    """Numbers by name from a JSON map.

    Raises
    ------
    ValueError
        It is another thing.
    """
    numbers = json.loads(text)
    if not isinstance(numbers, dict) or not all(
        isinstance(number, int | float) for number in numbers.values()
    ):
        raise ValueError(f"{text[:80]} is not a map of numbers")
    return numbers
