"""A bridge of karabo's own, as a process that can be killed. A program.

Takes address, pattern, first and last train id, and what is the image of each; says
"sent" when karabo's queue has the last one. Then it stays.
"""

import sys

import numpy as np
from karabo_bridge import ServerInThread

SOURCE, KEY = "STEM/HAADF", "image.data"


def main() -> None:
    url, pattern, first, last = sys.argv[1:5]
    server = ServerInThread(url, sock=pattern)
    server.start()
    for train_id in range(int(first), int(last) + 1):
        server.feed(*train(train_id))
    sys.stdout.write("sent\n")
    sys.stdout.flush()
    sys.stdin.read()


def train(
    train_id: int, shape: tuple[int, int] = (48, 32)
) -> tuple[dict[str, dict[str, object]], dict[str, dict[str, object]]]:
    """Data and metadata of a train, whose pixels follow from its number."""
    image = np.random.default_rng(train_id).poisson(9, shape).astype(np.float32)
    data = {"dwell": 2.5, "mode": "scan", KEY: image, "pulses": np.arange(4)}
    stamp = {
        "source": SOURCE,
        "timestamp": 1.7e9 + train_id,
        "timestamp.sec": str(1_700_000_000 + train_id),
        "timestamp.frac": "250000000000000000",
        "timestamp.tid": train_id,
    }
    return {SOURCE: data}, {SOURCE: stamp}


if __name__ == "__main__":
    main()
