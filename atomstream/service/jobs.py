"""Frames as work for an engine, with what is known of their past."""

import time

from inference.analyse import History
from inference.engines.engine import Job
from streamer.session.exposure import Exposure
from streamer.session.reader import SessionReader
from streamer.session.records import FrameKey
from streamer.session.spool import Spool, Spooled


def job_of(session: SessionReader, key: FrameKey) -> Job:
    """A committed frame and what the session knows of its past.

    Raises
    ------
    SessionError
        It cannot be read back from the disk.
    """
    record = session.frame_record(*key)
    return Job(session.frame(*key), history_of(record.exposure, record.received_ns))


def job_of_spooled(session: SessionReader, spool: Spool, spooled: Spooled) -> Job:
    """A frame that waits for the disk; its past is what it will be.

    Raises
    ------
    SessionError
        It is gone: the disk has it now.
    """
    frame = spool.read(spooled)
    exposure = session.exposure_ahead(frame)
    return Job(frame, history_of(exposure, spooled.received_ns))


def history_of(exposure: Exposure, received_ns: int) -> History:
    """What an analysis is told beside its frame."""
    return History(
        time_s=exposure.time_s,
        dose_e_nm2=exposure.dose_e_nm2,
        # A clock that was set back must not make an analysis faster than light.
        waited_s=max(0.0, (time.time_ns() - received_ns) * 1e-9),
    )
