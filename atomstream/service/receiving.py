"""The process that receives: every frame is on disk before anyone looks at it."""

import logging
import threading
import time
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import zmq

from atomstream.service.tasks import Receiver
from atomstream.words import event_in_words
from streamer.events import Ended, Event, Gap, Received
from streamer.frame import Frame
from streamer.messages import Content
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.subscriber import Subscriber

log = logging.getLogger("receive")
POLL_S = 0.2


def receive(task: Receiver, stopping: threading.Event) -> None:
    """Receive and commit until told to stop."""
    with FrameRecorder(task.record) as recorder, zmq.Context() as context:
        subscriber = Subscriber(
            context,
            task.connect,
            security=task.security,
            resume=resume_positions(task.record),
            topics=(f"{Content.FRAME}/",),
            name=name_of(task.record),
        )
        log.info("listening to %s", ", ".join(task.connect))
        try:
            while not stopping.is_set():
                event = subscriber.receive(POLL_S)
                if event is not None:
                    take(event, recorder)
        finally:
            # A service that is stopped comes back for the rest: sources shall wait.
            subscriber.close(leaves=False)


def name_of(record: Path) -> str:
    """What sources know this service by, also after it was restarted."""
    return uuid5(NAMESPACE_URL, str(record.resolve())).hex


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
    if not isinstance(event, Received):
        text = event_in_words(event)
        log.info("%s", text)
        recorder.commit_event(now_ns, type(event).__name__.lower(), text)
