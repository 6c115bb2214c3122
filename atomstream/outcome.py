"""What came of the analysis of a stack, in a line for the terminal."""

from collections import Counter
from collections.abc import Sequence

from atomstream.words import span_in_words
from streamer.analysis import Flag
from streamer.frame import Stream
from streamer.session.records import AnalysisRecord, StreamRecord


def outcome(
    frames: int, analyses: Sequence[AnalysisRecord], before: Sequence[AnalysisRecord]
) -> str:
    """How many frames, which flags they carry, and what was there already.

    Parameters
    ----------
    before
        Those that were analysed by an earlier run, perhaps with another model.
    """
    done = len(before) == frames
    told = "nothing to do: " if done else ""
    facts = [*_flags(analyses), *_sizes(analyses), *_models(before)]
    if done:
        facts.append("a new folder takes another model's or settings'")
    number = frames_in_words(frames)
    return f"{told}{number} ({'; '.join(facts)})" if facts else number


def other_streams(streams: Sequence[StreamRecord], added: Stream) -> str | None:
    """What a session holds beside the stream that is added; None if nothing."""
    if added.id in {record.stream.id for record in streams}:
        return None
    held = [
        f"{frames_in_words(record.frames)} of {record.stream.source}"
        for record in streams
        if record.frames
    ]
    if not held:
        return None
    return (
        f"{', '.join(held)} already; those of {added.source} become a stream of "
        "their own beside them (another --record keeps them apart)"
    )


def frames_in_words(number: int) -> str:
    """A number of frames."""
    return "1 frame" if number == 1 else f"{number} frames"


def _flags(analyses: Sequence[AnalysisRecord]) -> list[str]:
    counts = Counter(flag for record in analyses for flag in record.flags)
    if not counts:
        return []
    flagged = ", ".join(f"{count} {flag}" for flag, count in counts.items())
    hints = ["--estimate-pixel-size asks the lattice"]
    doubtful = Flag.PIXEL_SIZE_DOUBTFUL in counts
    return [f"flagged: {flagged}", *(hints if doubtful else [])]


def _sizes(analyses: Sequence[AnalysisRecord]) -> list[str]:
    sizes = [
        record.estimated_pixel_size_nm
        for record in analyses
        if record.estimated_pixel_size_nm is not None
    ]
    if not sizes:
        return []
    return [f"pixels of {span_in_words(sizes)} nm by the lattice"]


def _models(before: Sequence[AnalysisRecord]) -> list[str]:
    if not before:
        return []
    names = ", ".join(sorted({record.model.name for record in before}))
    return [f"{len(before)} analysed before, by {names}{_choices(before)}"]


def _choices(before: Sequence[AnalysisRecord]) -> str:
    """Whether positions were fitted, as far as the time that it took says so."""
    with_atoms = [each for each in before if Flag.NO_ATOMS not in each.flags]
    fitted = {"refine" in each.stages_ms for each in with_atoms}
    if len(fitted) != 1:
        return ""
    return " with --refine" if fitted.pop() else " with --no-refine"
