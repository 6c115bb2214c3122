"""The command `atomstream`: errors become one line, whatever happens inside."""

import atexit
import logging
import signal
import sys
import time
from types import FrameType

from atomstream.service.process import BAD_INPUT, quieten_libraries
from streamer.errors import AtomstreamError

STOPPING = (signal.SIGINT, signal.SIGTERM)
PATIENCE_S = 15.0
"""What a command may take to end once it was told to."""


def main() -> None:
    """Run one command and exit: 0 when it did its work, 2 when it was given nonsense.

    Ctrl-C and SIGTERM are how commands that go on for ever are stopped, and no error.
    """
    for number in STOPPING:
        signal.signal(number, _stop)
    # At its very end Python forgets what we do with signals that are not ignored.
    atexit.register(_ignore)
    # Here, because each process of a service imports this module when it starts.
    from atomstream.app import app

    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(name)s: %(message)s",
        datefmt="%H:%M:%S",
    )
    quieten_libraries()
    try:
        app()
    except AtomstreamError as error:
        sys.stderr.write(f"atomstream: {error}\n")
        sys.exit(BAD_INPUT)


def _stop(_number: int, _frame: FrameType | None) -> None:
    # A second one would break into what the first lets end in good order; but where the
    # first was lost, in code that swallows what is raised in it, a later one is needed.
    since_s = time.monotonic()

    def again(_number: int, _frame: FrameType | None) -> None:
        if time.monotonic() - since_s > PATIENCE_S:
            sys.exit(0)

    for number in STOPPING:
        # Not `SIG_IGN`: Python would complain of one that came just before.
        signal.signal(number, again)
    sys.exit(0)


def _ignore() -> None:
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    main()
