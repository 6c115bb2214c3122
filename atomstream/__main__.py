"""The command `atomstream`: errors become one line, whatever happens inside."""

import logging
import sys

from atomstream.service.process import quieten_libraries
from streamer.errors import AtomstreamError

BAD_INPUT = 2


def main() -> None:
    """Run one command and exit: 0 when it did its work, 2 when it was given nonsense.

    Ctrl-C is how services are stopped, and no error.
    """
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
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
