"""The process that receives: every frame is on disk before anyone looks at it."""

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import zmq

from streamer.events import (
    Abandoned,
    Ended,
    Event,
    Gap,
    Heard,
    Received,
    Rejected,
    Silent,
)
from streamer.frame import Frame
from streamer.messages import Content
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.subscriber import Subscriber

log = logging.getLogger("receive")
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Receiver:
    """What the process needs to know."""

    connect: tuple[str, ...]
    """Addresses of sources."""
    record: Path
    """Session folder."""

    def __call__(self, stopping: threading.Event) -> None:
        """Receive and commit until told to stop."""
        with (
            FrameRecorder(self.record) as recorder,
            zmq.Context() as context,
            Subscriber(
                context,
                self.connect,
                resume=resume_positions(self.record),
                topics=(f"{Content.FRAME}/",),
            ) as subscriber,
        ):
            log.info("listening to %s", ", ".join(self.connect))
            while not stopping.is_set():
                event = subscriber.receive(POLL_S)
                if event is not None:
                    take(event, recorder)


def resume_positions(folder: Path) -> dict[str, int]:
    """The first frame that is still missing of each stream in a session."""
    with SessionReader(folder) as reader:
        return {
            record.stream.id: reader.next_seq(record.stream.id)
            for record in reader.streams()
        }


def take(event: Event, recorder: FrameRecorder) -> None:
    """Commit what the event brings, or what it says is lost."""
    now_ns = time.time_ns()
    match event:
        case Received(message=Frame() as frame):
            recorder.commit_frame(frame, event.received_ns)
        case Gap(stream=stream, first=first, last=last, reason=reason):
            recorder.commit_gap(stream, first, last, reason, now_ns)
        case Ended(stream=stream, total=total):
            recorder.commit_end(stream, total)
        case _:
            pass
    text = in_words(event)
    if text:
        log.info("%s", text)
        recorder.commit_event(now_ns, type(event).__name__.lower(), text)


def in_words(event: Event) -> str:
    """A line for the log and the session's events; empty for a frame that just came."""
    match event:
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
        case Rejected(url=url, reason=reason):
            return f"a message from {url} was thrown away: {reason}"
        case _:
            return ""
