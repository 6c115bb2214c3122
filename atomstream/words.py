"""Lines for people: what happened on a stream, and what was found."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from streamer.analysis import Analysis, Flag, ModelId, PixelSizeSource
from streamer.events import (
    Abandoned,
    Ended,
    Event,
    Gap,
    Heard,
    Hindered,
    Joined,
    Notice,
    Received,
    Rejected,
    Silent,
    Stands,
)
from streamer.frame import Frame
from streamer.lattice import lattice_drift_percent
from streamer.messages import is_loss
from streamer.service_state import ServiceState
from streamer.session.notes import Notes
from streamer.session.pruning import Stored
from streamer.session.records import AnalysisRecord, AttemptRecord, GapRecord

NS_PER_DAY = 86_400 * 10**9


def model_in_words(model: ModelId) -> str:
    """A model's name and the start of its hash."""
    return f"{model.name} ({model.sha256[:12]})"


def analyses_in_words(analyses: Iterable[AnalysisRecord]) -> Iterator[str]:
    """A line for each model, place and source of the pixel size of a stream."""
    groups: dict[tuple[str, str, PixelSizeSource | None], list[AnalysisRecord]] = {}
    for each in analyses:
        key = model_in_words(each.model), each.provider, each.pixel_size_source
        groups.setdefault(key, []).append(each)
    for (model, provider, source), found in groups.items():
        yield (
            f"{len(found)} analysed by {model} on {provider}, "
            f"{_pixel_sizes(found, source)}{_flags(found)}"
        )


def _pixel_sizes(
    found: Sequence[AnalysisRecord], source: PixelSizeSource | None
) -> str:
    sizes = [each.pixel_size_nm for each in found if each.pixel_size_nm]
    if not sizes:
        return "pixel size unknown"
    return f"pixels of {span_in_words(sizes)} nm ({source})"


def span_in_words(values: Sequence[float]) -> str:
    """The smallest and the largest of some numbers."""
    least, most = f"{min(values):.4g}", f"{max(values):.4g}"
    return least if least == most else f"{least} to {most}"


def _flags(found: Sequence[AnalysisRecord]) -> str:
    counts = Counter(flag for each in found for flag in each.flags)
    told = ", ".join(f"{count} {flag}" for flag, count in counts.items())
    return f"; flagged: {told}" if told else "; none flagged"


def event_in_words(event: Event) -> str:
    """One line about an event."""
    match event:
        case Received(message=message):
            return message_in_words(message)
        case Joined(stream=stream, content=content):
            name = f"{stream.source} / {stream.channel}"
            return f"{content} stream {stream.id}: {name}"
        case Gap(stream=stream, first=first, last=last, reason=reason):
            fate = fate_in_words(reason)
            return f"{stream.source}: frames {first} to {last} are {fate}: {reason}"
        case Ended(stream=stream, total=total):
            return f"{stream.source} has ended after {total} frames"
        case Abandoned(stream=stream, next_seq=next_seq):
            return f"{stream.source} broke off before frame {next_seq}"
        case Silent(url=url, seconds=seconds, reason=reason):
            why = f": {reason}" if reason else ""
            return f"nothing from {url} for {seconds:.0f} s{why}"
        case Hindered(url=url, reason=reason):
            return f"no new connection to {url}: {reason}"
        case Heard(url=url):
            return f"connected to {url}"
        case Notice(url=url, text=text):
            return f"{url} says: {text}" if text else f"{url} says no more: all is well"
        case Stands(url=url, state=state):
            return (
                f"{url}: {state_in_words(state) if state else 'no word of its state'}"
            )
        case Rejected(url=url, reason=reason):
            return f"a message from {url} was thrown away: {reason}"


def fate_in_words(reason: str) -> str:
    """What became of frames that cannot be had for `reason`."""
    return "lost" if is_loss(reason) else "passed over"


def gap_in_words(gap: GapRecord) -> str:
    """Which frames are not in a session, and why."""
    fate = fate_in_words(gap.reason)
    return f"{fate}: frames {gap.first} to {gap.last}: {gap.reason}"


def state_in_words(state: ServiceState) -> str:
    """One line about how a service stands."""
    free = "" if state.free_bytes is None else f", {state.free_bytes / 1e9:.1f} GB free"
    return (
        f"session {state.session}, recorded: {state.reason or state.recorded}{free}, "
        f"{state.committed} frames committed, {state.waiting} wait, "
        f"{state.aside} set aside"
    )


def message_in_words(message: Frame | Analysis) -> str:
    """One line about what a stream carries."""
    if isinstance(message, Frame):
        return frame_in_words(message)
    return f"analysis {message.stream.channel} {analysis_in_words(message)}"


def frame_in_words(frame: Frame) -> str:
    """One line about a frame."""
    rows, cols = frame.shape
    size = f"{frame.pixel_size_nm:g} nm" if frame.pixel_size_nm else "not calibrated"
    return (
        f"frame {frame.stream.channel} {frame.seq}: {rows} x {cols} "
        f"{frame.image.dtype}, pixel {size}, {frame.completeness}"
    )


def analysis_in_words(analysis: Analysis) -> str:
    """One line about an analysis."""
    summary = analysis.summary
    counts = ", ".join(f"{count} {name}" for name, count in summary.counts.items())
    flags = f" [{', '.join(analysis.flags)}]" if analysis.flags else ""
    facts = [
        counts,
        f"crystallinity {summary.mean_crystallinity:.3f}",
        *_lattice_in_words(analysis),
        f"{analysis.latency_s:.2f} s after it came{flags}",
        *_told_by_lattice(analysis),
    ]
    return f"frame {analysis.seq}: {', '.join(facts)}"


def _lattice_in_words(analysis: Analysis) -> list[str]:
    constant_nm = analysis.summary.lattice_constant_nm
    sigma_nm = analysis.summary.lattice_constant_sigma_nm
    # By a pixel size that is the lattice's own it would be graphene's in every frame.
    if Flag.PIXEL_SIZE_ESTIMATED in analysis.flags or not math.isfinite(constant_nm):
        return []
    return [f"lattice {constant_nm:.5f} ± {sigma_nm:.5f} nm"]


def _told_by_lattice(analysis: Analysis) -> list[str]:
    told_nm = analysis.estimated_pixel_size_nm
    if told_nm is None:
        return []
    return [f"pixel {told_nm:.4g} nm by the lattice"]


def drift_in_words(analyses: Sequence[AnalysisRecord]) -> str | None:
    """One line about the lattice constant of a stream, and how it changes.

    Parameters
    ----------
    analyses
        Of one stream, by frame.

    Returns
    -------
    None where no frame shows a lattice.
    """
    drift = lattice_drift_percent(
        np.array([record.summary.lattice_constant_nm for record in analyses]),
        np.array([record.pixel_size_nm or np.nan for record in analyses]),
        np.array(
            [Flag.PIXEL_SIZE_ESTIMATED in record.flags for record in analyses], bool
        ),
    )
    seen = np.flatnonzero(np.isfinite(drift))
    if not len(seen):
        return None
    first, last = analyses[seen[0]], analyses[seen[-1]]
    known = f"lattice {_constant_in_words(first)} in frame {first.frame.seq}"
    if len(seen) == 1:
        return known
    low, high = np.nanmin(drift), np.nanmax(drift)
    return (
        f"{known}, {drift[seen[-1]]:+.2f} % by frame {last.frame.seq} "
        f"(all within {low:+.2f} to {high:+.2f} %)"
    )


def _constant_in_words(record: AnalysisRecord) -> str:
    """In pixels where the size of these is known from the lattice alone."""
    summary, per_pixel, unit, digits = record.summary, 1.0, "nm", 5
    if Flag.PIXEL_SIZE_ESTIMATED in record.flags and record.pixel_size_nm:
        per_pixel, unit, digits = 1 / record.pixel_size_nm, "pixels", 4
    constant = per_pixel * summary.lattice_constant_nm
    sigma = per_pixel * summary.lattice_constant_sigma_nm
    return f"{constant:.{digits}f} ± {sigma:.{digits}f} {unit}"


def aside_in_words(aside: AttemptRecord) -> str:
    """One line about a frame that is not analysed."""
    key = aside.key
    return f"set aside: frame {key.seq} of {key.stream_id}: {aside.reason}"


def notes_in_words(found: Notes, numbers: Mapping[str, int]) -> Iterator[str]:
    """A line for each note of a session, and for what is wrong with its file.

    Parameters
    ----------
    numbers
        Of the session's streams, by their ids.
    """
    for note in found.notes:
        moment = datetime.fromtimestamp(note.time_ns // 10**9, UTC)
        when = f"{moment:%Y-%m-%d %H:%M} UTC"
        number = numbers.get(note.stream_id)
        stream = "a stream that is not here" if number is None else f"stream {number}"
        yield f"note: {when}, frame {note.seq} of {stream}: {note.text}"
    if found.skipped:
        yield f"notes: {found.skipped} lines of the file are no notes, or too many"
    if found.problem:
        yield f"notes: {found.problem}"


def count_in_words(count: int, what: str) -> str:
    """How many there are of something."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def stored_in_words(stored: Stored, now_ns: int) -> str:
    """One line about what a session takes, and how old it is."""
    moment = datetime.fromtimestamp(stored.newest_ns // 10**9, UTC)
    days = (now_ns - stored.newest_ns) / NS_PER_DAY
    return (
        f"{stored.folder.name}, {stored.nbytes / 1e9:.3g} GB, last written "
        f"{moment:%Y-%m-%d %H:%M} UTC ({days:.1f} days ago)"
    )
