"""The command `atomstream`: errors become one line, whatever happens inside."""

import atexit
import sys

from atomstream.logs import LogSettings, say_fatal, start_logging
from atomstream.service.process import BAD_INPUT
from atomstream.stopping import ignore_signals, stop_by_signals
from streamer.errors import AtomstreamError


def main() -> None:
    """Run one command and exit: 0 when it did its work, 2 when it was given nonsense.

    Ctrl-C and SIGTERM are how commands that go on for ever are stopped, and no error.
    """
    stop_by_signals()
    # At its very end Python forgets what we do with signals that are not ignored.
    atexit.register(ignore_signals)
    # Here, because each process of a service imports this module when it starts.
    from atomstream.app import app

    # Until the command says otherwise.
    start_logging(LogSettings(), "atomstream")
    try:
        app()
    except AtomstreamError as error:
        say_fatal(error)
        sys.exit(BAD_INPUT)


if __name__ == "__main__":
    main()
