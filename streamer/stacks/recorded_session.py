"""A session as a stack: what was recorded can be replayed."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from streamer.errors import StackError
from streamer.frame import Frame, Stream
from streamer.session.reader import SessionReader
from streamer.session.records import StreamRecord
from streamer.stacks.stack import Recording, Selection


def open_session(path: Path, selection: Selection) -> Recording:
    """Frames of one stream of a session, without the gaps; by default of the first.

    They are those that were recorded, each with its own calibration, times and
    metadata; only their stream and number are new.

    Raises
    ------
    StackError, SessionError
        No session, or one without frames.
    """
    with ExitStack() as stack:
        session = stack.enter_context(SessionReader(path))
        streams = [record for record in session.streams() if record.frames]
        if not streams:
            raise StackError(f"{path} is a session without frames")
        channels = _channels(streams)
        place = 0
        if selection.channel is not None:
            place, _ = selection.choose(channels, path.name)
        stream_id = streams[place].stream.id
        records = session.frames(stream_id)
        first = session.frame(stream_id, records[0].seq)

        def frame(index: int, stream: Stream) -> Frame:
            recorded = session.frame(stream_id, records[index].seq)
            return replace(recorded, stream=stream, seq=index)

        return Recording(
            shape=(len(records), *first.shape),
            dtype=first.image.dtype,
            frame=frame,
            close=stack.pop_all().close,
            pixel_size_nm=first.pixel_size_nm,
            channel=streams[place].stream.channel,
            channels=channels,
        )


def _channels(streams: list[StreamRecord]) -> tuple[str, ...]:
    """Channels of the streams; numbered where there are several runs of one."""
    names = [record.stream.channel for record in streams]
    often = Counter(names)
    return tuple(
        f"{name} {record.number}" if often[name] > 1 else name
        for name, record in zip(names, streams, strict=True)
    )
