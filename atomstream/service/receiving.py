"""The process that receives: every frame is on disk before anyone looks at it."""

import logging
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import zmq

from atomstream.service.process import DRAIN_S, Lifeline
from atomstream.service.recording import Recording
from atomstream.service.tasks import Receiver
from streamer.events import Received
from streamer.frame import Stream
from streamer.incoming import open_incoming
from streamer.messages import Content
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.spool import Spool

log = logging.getLogger("receive")
POLL_S = 0.2


def receive(task: Receiver, lifeline: Lifeline) -> None:
    """Receive and commit until told to stop."""
    with (
        FrameRecorder(task.record, DRAIN_S + 2) as recorder,
        SessionReader(task.record) as session,
        zmq.Context() as context,
    ):
        incoming = open_incoming(
            context,
            task.connect,
            security=task.security,
            known=positions(session),
            topics=(f"{Content.FRAME}/",),
            name=name_of(task.record),
        )
        log.info("listening to %s", ", ".join(task.connect))
        spool = Spool.of(task.record)
        recording = Recording(recorder, session, incoming, spool, task.connect)
        try:
            while not lifeline.is_set():
                event = incoming.receive(POLL_S)
                if event is not None:
                    recording.take(event)
                if isinstance(event, Received):
                    lifeline.tell_progress()
                recording.look()
        finally:
            # A service that is stopped comes back for the rest: sources shall wait.
            incoming.close(leaves=False)
            recording.close()


def name_of(record: Path) -> str:
    """What sources know this service by, also after it was restarted."""
    return uuid5(NAMESPACE_URL, str(record.resolve())).hex


def positions(session: SessionReader) -> list[tuple[Stream, int]]:
    """The streams of a session, and the first frame that is still missing of each."""
    return [
        (record.stream, session.next_seq(record.stream.id))
        for record in session.streams()
    ]
