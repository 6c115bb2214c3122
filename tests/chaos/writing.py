"""Commits frames, and is killed by the kernel at a byte that is asked for.

Reads lines "SESSION START LIMIT" on its standard input. For each, a child commits
frames until a file would grow beyond LIMIT bytes: the kernel writes as many as fit,
and kills the child at the next (`RLIMIT_FSIZE`, SIGXFSZ). START says from when on
that holds: "before" the session is opened, or "after" it. Says "frame 3" when that is
committed, and "dead 25" or "done" when the child is no more.
"""

import os
import resource
import signal
import sys
from pathlib import Path

import numpy as np

from streamer.frame import Frame, Stream
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder

STREAM = Stream("5f0c", "SuperScan", "HAADF")
SIZE_PX = 48
FRAMES = 4


def frame_of(seq: int) -> Frame:
    rng = np.random.default_rng(seq)
    return Frame(STREAM, seq, rng.random((SIZE_PX, SIZE_PX), np.float32))


def limit(nbytes: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, nbytes))


def live(session: Path, start: str, nbytes: int) -> None:
    if start == "before":
        limit(nbytes)
    with FrameRecorder(session) as recorder, SessionReader(session) as reader:
        if start == "after":
            limit(nbytes)
        first = reader.next_seq(STREAM.id)
        for seq in range(first, first + FRAMES):
            recorder.commit_frame(frame_of(seq), received_ns=0)
            say(f"frame {seq}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        session, start, nbytes = line.split()
        child = os.fork()
        if child == 0:
            live(Path(session), start, int(nbytes))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        say("done" if status == 0 else f"dead {-status}")


if __name__ == "__main__":
    main()
