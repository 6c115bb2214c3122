"""What happened, marked in the plots over time: gaps, other models, notes."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.axis import Axis, positions
from dashboard.history import History, Swap, common_quantities
from dashboard.missing import Missing
from dashboard.scene import quantity_names
from dashboard.trend import Trend
from streamer.analysis import ModelId
from streamer.session.notes import Note

NOTES_MARKED = 200
"""The newest; all that are known are in the list."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Frames that are not there."""

    left: float
    right: float
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a frame."""

    kind: str
    """"model" or "note"."""
    x: float
    words: str


def strips(
    missing: Iterable[Missing], history: History, trend: Trend
) -> tuple[Strip, ...]:
    """Where frames are missing, in units of the trend's ruler."""
    gaps = tuple(missing)
    first = np.array([each.first for each in gaps], np.float64)
    last = np.array([each.last for each in gaps], np.float64)
    left, right = (place(ends, history, trend) for ends in (first - 0.5, last + 0.5))
    return tuple(
        Strip(float(a), float(b), gap.words)
        for gap, a, b in zip(gaps, left, right, strict=True)
    )


def marks(notes: Iterable[Note], history: History, trend: Trend) -> tuple[Mark, ...]:
    """Where models took over and viewers wrote, in units of the trend's ruler."""
    mine = [note for note in notes if note.stream_id == history.stream.id]
    said = [(swap.seq - 0.5, "model", swap_words(swap)) for swap in history.swaps]
    said += [(note.seq, "note", note_words(note)) for note in mine[-NOTES_MARKED:]]
    where = place(np.array([seq for seq, _, _ in said], np.float64), history, trend)
    return tuple(
        Mark(kind, float(x), words)
        for x, (_, kind, words) in zip(where, said, strict=True)
    )


def place(
    seq: NDArray[np.float64], history: History, trend: Trend
) -> NDArray[np.float64]:
    """(N,) where frames lie, also those that are not there, by their neighbours."""
    if trend.ruler.axis is Axis.FRAMES or not len(seq):
        return seq
    found = positions(history.records, trend.ruler.axis) / trend.ruler.scale
    known = np.isfinite(found)
    known_seq, found = history.records["seq"][known].astype(np.float64), found[known]
    beyond = np.minimum(seq - known_seq[0], 0) + np.maximum(seq - known_seq[-1], 0)
    return np.asarray(np.interp(seq, known_seq, found) + beyond * trend.pitch)


def swap_words(swap: Swap) -> str:
    """Which model took over, and what can no longer be compared."""
    words = f"frame {swap.seq:,}: model {of(swap.old)} → {of(swap.new)}"
    kept = common_quantities(swap.old, swap.new)
    new = [name for name in quantity_names(swap.new) if name not in kept]
    gone = [name for name in quantity_names(swap.old) if name not in kept]
    if new:
        words += f"; {', '.join(new)}: begins here, the model before had no such latent"
    if gone:
        words += f"; {', '.join(gone)}: ends here"
    return words


def of(model: ModelId) -> str:
    """Name and short hash."""
    return f"{model.name} {model.sha256[:8]}"


def note_words(note: Note) -> str:
    """At which frame, and what."""
    return f"frame {note.seq:,}: {note.text}"
