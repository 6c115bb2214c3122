"""Sends frames or receives them with karabo-bridge, in its Python. A program.

Takes "send" or "receive" and the run as JSON, as `by_us` does; knows nothing of this
project.
"""

import json
import os
import sys
import time
from typing import Any

import numpy as np
from karabo_bridge import Client, ServerInThread

UNCOUNTED = 5
"""Frames before the measurement, as for all others."""
SOURCE = "bench/HAADF"
type Job = dict[str, Any]

CLIENTS = {"PUB": "SUB", "PUSH": "PULL", "REP": "REQ"}


def main() -> None:
    """Do what the first argument says."""
    job: Job = json.loads(sys.argv[2])
    pattern = job.get("pattern", "PUB")
    if sys.argv[1] == "send":
        send(job, pattern)
    else:
        receive(job, pattern)
    sys.stdout.flush()
    os._exit(0)


def send(job: Job, pattern: str) -> None:
    """Frames at an even pace; `feed` waits where the bridge makes it wait."""
    noise = np.random.default_rng(0)
    image = noise.random((job["size_px"], job["size_px"]), np.float32)
    server = ServerInThread(job["url"], sock=pattern)
    server.start()
    say("bound")
    sys.stdin.readline()
    start_s = time.monotonic()
    longest_s = 0.0
    for seq in range(job["frames"]):
        due_s = start_s + seq / job["per_second"]
        time.sleep(max(0.0, due_s - time.monotonic()))
        before_s = time.monotonic()
        meta = {SOURCE: {"source": SOURCE, **stamp(seq)}}
        server.feed({SOURCE: {"image": image}}, meta)
        longest_s = max(longest_s, time.monotonic() - before_s)
    say(json.dumps({"longest_s": longest_s, "lasted_s": time.monotonic() - start_s}))
    sys.stdin.read()


def stamp(seq: int) -> Job:
    """When the frame was sent, as the bridge writes it."""
    now_s = time.time()
    whole, fraction = divmod(now_s, 1)
    return {
        "timestamp": now_s,
        "timestamp.sec": str(int(whole)),
        "timestamp.frac": f"{round(fraction * 1e9):09d}000000000",
        "timestamp.tid": seq,
    }


def receive(job: Job, pattern: str) -> None:
    """CPU time and latency; with "seqs", what came instead, one a line."""
    client = Client(job["url"], sock=CLIENTS[pattern], timeout=30)
    say("ready")
    latencies_ms = []
    start_s = 0.0
    for count, (data, meta) in enumerate(client, 1):
        latency_ms = (time.time() - meta[SOURCE]["timestamp"]) * 1e3
        if job.get("seqs"):
            say(str(meta[SOURCE]["timestamp.tid"]))
            time.sleep(job.get("rest_s", 0.0))
            continue
        assert data[SOURCE]["image"].nbytes
        if count == UNCOUNTED:
            start_s = time.process_time()
        elif count > UNCOUNTED:
            latencies_ms.append(latency_ms)
        if count == job["frames"]:
            break
    cpu_s = time.process_time() - start_s
    frames = len(latencies_ms)
    say(json.dumps({"cpu_ms": cpu_s * 1e3 / frames, "latencies_ms": latencies_ms}))


def say(text: str) -> None:
    """A line for who started this."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
