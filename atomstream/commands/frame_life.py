"""What `atomstream sessions show --frame` prints: the life of one frame."""

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from atomstream.life import life_in_words, life_of, zero_of
from atomstream.words import fate_in_words
from streamer.errors import SessionError
from streamer.session.reader import SessionReader
from streamer.session.records import FrameKey, StreamRecord


def show_life(session: Path, seq: int, stream: str | None) -> None:
    """Print each moment in the life of a frame.

    Parameters
    ----------
    stream
        Number, or the beginning of the id, of a stream; None for the only one that
        has this frame.

    Raises
    ------
    SessionError
        There is no such frame, or more than one.
    """
    with SessionReader(session) as reader:
        of = stream_with(reader, seq, stream).stream
        record = reader.frame_record(of.id, seq)
        analyses = reader.analyses(of.id, seq, seq)
        aside = [a for a in reader.set_aside() if a.key == FrameKey(of.id, seq)]
        moments = list(
            life_of(
                reader.frame(of.id, seq),
                record,
                analyses[0] if analyses else None,
                aside[0] if aside else None,
            )
        )
    is_end = zero_of(moments) == moments[1].at_ns
    since = "since scan's end" if is_end else "since received"
    table = Table("", "UTC", since, "", box=None, pad_edge=False)
    for what, at, difference, remark in life_in_words(moments):
        table.add_row(what, at, difference, remark)
    typer.echo(f"frame {seq} of stream {of.id} ({of.source} / {of.channel})")
    Console(width=max(100, Console().width)).print(table, highlight=False)
    typer.echo("when viewers painted it is not recorded in a session (docs/metrics.md)")


def stream_with(reader: SessionReader, seq: int, wanted: str | None) -> StreamRecord:
    """The stream that is meant, which has this frame.

    Raises
    ------
    SessionError
        None is, or more than one.
    """
    streams = [
        each for each in reader.streams() if wanted in (None, str(each.number))
    ] or [each for each in reader.streams() if each.stream.id.startswith(wanted or "")]
    if not streams:
        raise SessionError(f"{reader.folder} has no stream {wanted!r:.80}")
    having = [each for each in streams if has_frame(reader, each, seq)]
    if not having:
        raise SessionError(
            f"{reader.folder} has no frame {seq}{lost(reader, streams, seq)}"
        )
    if len(having) > 1:
        numbers = ", ".join(str(each.number) for each in having)
        raise SessionError(
            f"frame {seq} is in the streams {numbers} of {reader.folder}: name one "
            "with --stream"
        )
    return having[0]


def has_frame(reader: SessionReader, record: StreamRecord, seq: int) -> bool:
    """Whether a frame of a stream is committed."""
    try:
        reader.frame_record(record.stream.id, seq)
    except SessionError:
        return False
    return True


def lost(reader: SessionReader, streams: Sequence[StreamRecord], seq: int) -> str:
    """Why a frame of one of these streams is not there, if that is known."""
    ids = {each.stream.id for each in streams}
    for gap in reader.gaps():
        if gap.stream_id in ids and gap.first <= seq <= gap.last:
            return f": it is {fate_in_words(gap.reason)}: {gap.reason}"
    return ""
