"""CPU time of one line of the log, about a frame that was analysed."""

import logging
import sys
import time
from contextlib import redirect_stderr
from pathlib import Path

from atomstream.logs import LogFormat, LogSettings, start_logging
from streamer.frame import Stream
from streamer.log_fields import of_frame

LINES = 5000
MESSAGE = (
    "frame 1234: 9512 C, 38 Si, crystallinity 0.912, lattice 0.2461 ± 0.0001 nm, "
    "0.61 s after it came"
)


def line_us(form: LogFormat, file: Path) -> float:
    """CPU time to format a line and write it to a file, µs."""
    stream, log = Stream.new("SuperScan", "HAADF"), logging.getLogger("analyse")
    with file.open("w", encoding="utf-8") as lines, redirect_stderr(lines):
        start_logging(LogSettings(form), "analyse", "analyse")
        start_s = time.process_time()
        for seq in range(LINES):
            about = of_frame(stream, seq, atoms=9550, flags=[], latency_s=0.61)
            log.info("%s", MESSAGE, extra=about)
        took_s = time.process_time() - start_s
    return took_s / LINES * 1e6


if __name__ == "__main__":
    # In a process of its own, whose log is its own.
    sys.stdout.write(f"{line_us(LogFormat(sys.argv[1]), Path(sys.argv[2]))}\n")
