"""Lines for people: what happened on a stream, and what was found."""

from streamer.analysis import Analysis
from streamer.events import (
    Abandoned,
    Ended,
    Event,
    Gap,
    Heard,
    Joined,
    Notice,
    Received,
    Rejected,
    Silent,
)
from streamer.frame import Frame
from streamer.session.records import AttemptRecord


def event_in_words(event: Event) -> str:
    """One line about an event."""
    match event:
        case Received(message=message):
            return message_in_words(message)
        case Joined(stream=stream, content=content):
            name = f"{stream.source} / {stream.channel}"
            return f"{content} stream {stream.id}: {name}"
        case Gap(stream=stream, first=first, last=last, reason=reason):
            return f"{stream.source}: frames {first} to {last} are lost: {reason}"
        case Ended(stream=stream, total=total):
            return f"{stream.source} has ended after {total} frames"
        case Abandoned(stream=stream, next_seq=next_seq):
            return f"{stream.source} broke off before frame {next_seq}"
        case Silent(url=url, seconds=seconds):
            return f"nothing from {url} for {seconds:.0f} s"
        case Heard(url=url):
            return f"connected to {url}"
        case Notice(url=url, text=text):
            return f"{url} says: {text}" if text else f"{url} says no more: all is well"
        case Rejected(url=url, reason=reason):
            return f"a message from {url} was thrown away: {reason}"


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
    return (
        f"frame {analysis.seq}: {counts}, crystallinity "
        f"{summary.mean_crystallinity:.3f}, {analysis.latency_s:.2f} s after it came"
        f"{flags}"
    )


def aside_in_words(aside: AttemptRecord) -> str:
    """One line about a frame that is not analysed."""
    key = aside.key
    return f"set aside: frame {key.seq} of {key.stream_id}: {aside.reason}"
