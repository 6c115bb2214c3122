"""Which stream and frames a report is of, and the models that saw them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from atomstream.report.material import AtHand, Material, evenly
from atomstream.service.kept_models import kept_models
from inference.catalogue import find_by_hash, shipped_models
from inference.model import load_model
from streamer.analysis import Flag
from streamer.errors import SettingsError
from streamer.session.reader import SessionReader
from streamer.session.records import AnalysisRecord, StreamRecord

PICTURES = 3
"""Frames that are shown where nobody says which: the first, middle, last with atoms."""


def material_of(
    session: SessionReader,
    stream: str | None,
    frames: Sequence[int] | None,
    models: Sequence[Path],
    threads: int,
) -> Material | None:
    """What a report works from; None of a session without streams.

    Parameters
    ----------
    stream
        Number, or the beginning of the id; None for the one with most analyses.
    frames
        To be shown; None for a choice.
    models
        Folders to look into, beside those that are shipped or in the session.

    Raises
    ------
    SettingsError
        There is no such stream, or such frames are not analysed.
    ModelError
        A model's files are damaged.
    """
    record = _stream(session, stream)
    if record is None:
        return None
    analyses = tuple(session.analyses(record.stream.id))
    return Material(
        session=session,
        stream=record,
        analyses=analyses,
        chosen=tuple(_chosen(analyses, frames)),
        models=_at_hand(analyses, (*models, *kept_models(session.folder)), threads),
    )


def _stream(session: SessionReader, wanted: str | None) -> StreamRecord | None:
    streams = session.streams()
    if wanted is None:
        # Of equals the first.
        return max(streams, key=lambda each: each.analyses, default=None)
    found = [each for each in streams if wanted == str(each.number)]
    found = found or [each for each in streams if each.stream.id.startswith(wanted)]
    if len(found) != 1:
        number = "no stream" if not found else "several streams that begin with"
        raise SettingsError(
            f"{session.folder} has {number} {wanted!r:.80}; it has streams 0 to "
            f"{len(streams) - 1}: atomstream sessions show"
        )
    return found[0]


def _chosen(
    analyses: Sequence[AnalysisRecord], frames: Sequence[int] | None
) -> list[AnalysisRecord]:
    if frames is None:
        seen = [each for each in analyses if Flag.NO_ATOMS not in each.flags]
        return evenly(seen or analyses, PICTURES)
    by_seq = {record.frame.seq: record for record in analyses}
    missing = [seq for seq in frames if seq not in by_seq]
    if missing:
        there = f"{min(by_seq)} to {max(by_seq)}" if by_seq else "none"
        raise SettingsError(
            f"--frames: frame {missing[0]} is not analysed; analysed are {there}"
        )
    return [by_seq[seq] for seq in dict.fromkeys(frames)]


def _at_hand(
    analyses: Iterable[AnalysisRecord], folders: Sequence[Path], threads: int
) -> dict[str, AtHand]:
    found = {}
    for sha256 in dict.fromkeys(record.model.sha256 for record in analyses):
        folder = find_by_hash(sha256, (*shipped_models().values(), *folders))
        if folder is not None:
            found[sha256] = AtHand(folder, load_model(str(folder), threads))
    return found
