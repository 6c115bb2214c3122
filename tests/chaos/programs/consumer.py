"""A consumer in a process of its own, as told by the JSON of its only argument.

Says the seq of each frame that it was handed whole, "gap" for what was lost, "end".
Takes `rest_s` over each until "hurry" comes on its stdin.
"""

import json
import sys
import threading

import zmq

from streamer.events import Ended, Gap, Received
from streamer.subscriber import Subscriber


def main() -> None:
    told = json.loads(sys.argv[1])
    hurry = threading.Event()
    threading.Thread(target=lambda: sys.stdin.readline() and hurry.set()).start()
    with (
        zmq.Context() as context,
        Subscriber(
            context,
            [told["url"]],
            resume=told.get("resume", {}),
            name=told.get("name"),
        ) as subscriber,
    ):
        while True:
            match subscriber.receive(1.0):
                case Received(message=frame):
                    assert (frame.image == frame.seq).all()
                    say(str(frame.seq))
                    hurry.wait(told["rest_s"])
                case Gap():
                    say("gap")
                case Ended():
                    break
                case _:
                    pass
    say("end")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
