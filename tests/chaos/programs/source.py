"""A source in a process of its own, as told by the JSON of its only argument.

Says "bound", then the seq of each frame that it has sent, at last what its sending
took as JSON.
"""

import json
import sys
import time

import numpy as np
import zmq

from streamer.frame import Frame, Stream
from streamer.publisher import Publisher


def main() -> None:
    told = json.loads(sys.argv[1])
    stream = Stream(told["stream"], "simulator", "HAADF")
    side = told["side"]

    def frame(_: str, seq: int) -> Frame:
        return Frame(stream, seq, np.full((side, side), seq, np.float32))

    publisher = Publisher(
        zmq.Context(),
        told["url"],
        recall=frame if told.get("keeps_all") else None,
        retention_bytes=told.get("retention_bytes", 2**29),
        heartbeat_s=told.get("heartbeat_s", 1.0),
    )
    if told.get("keeps_all") and told["first"]:
        publisher.announce(stream, told["first"])
    say("bound")
    if told.get("waits"):
        publisher.wait_for_subscriber(60)
    took_ms, start = [], time.monotonic()
    for number, seq in enumerate(range(told["first"], told["last"] + 1)):
        image = frame("", seq)
        before = time.perf_counter()
        publisher.send(image)
        took_ms.append((time.perf_counter() - before) * 1e3)
        say(str(seq))
        late_s = time.monotonic() - start - (number + 1) * told["period_s"]
        time.sleep(max(0.0, -late_s))
    lasted_s = time.monotonic() - start
    publisher.end(stream)
    say(json.dumps({"took_ms": took_ms, "lasted_s": lasted_s}))
    publisher.wait_until_delivered(600)
    publisher.close()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
