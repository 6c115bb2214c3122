"""What came of the analysis of a stack, in a line for the terminal."""

from collections import Counter
from collections.abc import Sequence

from streamer.analysis import Flag
from streamer.session.records import AnalysisRecord


def outcome(
    frames: int, analyses: Sequence[AnalysisRecord], before: Sequence[AnalysisRecord]
) -> str:
    """How many frames, which flags they carry, and what was there already.

    Parameters
    ----------
    before
        Those that were analysed by an earlier run, perhaps with another model.
    """
    number = "1 frame" if frames == 1 else f"{frames} frames"
    facts = [*_flags(analyses), *_sizes(analyses), *_models(before)]
    return f"{number} ({'; '.join(facts)})" if facts else number


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
    least, most = f"{min(sizes):.4g}", f"{max(sizes):.4g}"
    told = least if least == most else f"{least} to {most}"
    return [f"pixels of {told} nm by the lattice"]


def _models(before: Sequence[AnalysisRecord]) -> list[str]:
    if not before:
        return []
    names = ", ".join(sorted({record.model.name for record in before}))
    return [f"{len(before)} analysed before, by {names}"]
