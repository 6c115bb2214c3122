"""Starts a command and tells what it took. A program of its own, as small as can be.

What a process has used at most includes, for the kernel, the process that started it:
a benchmark that holds large frames would measure itself. This one is small.

Takes the command as its arguments; writes one JSON object to stdout.
"""

import json
import os
import subprocess
import sys
import time


def main() -> None:
    """Run the command, its stderr left as it is, to its end."""
    start = time.perf_counter()
    with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True) as process:
        stdout = process.stdout
        first = stdout.readline() if stdout else ""
        first_line_s = time.perf_counter() - start
        rest = stdout.read() if stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    told = {
        "exit_code": process.returncode,
        "stdout": first + rest,
        "first_line_s": first_line_s,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss * unit / 1e6,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
