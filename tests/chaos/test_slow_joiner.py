"""Who subscribes while frames are being sent misses none of them."""

import random
from collections.abc import Callable
from uuid import uuid4

import numpy as np
import pytest
import zmq

from streamer.events import Ended, Gap, Received
from streamer.frame import Frame, Stream
from streamer.publisher import Publisher
from streamer.subscriber import Subscriber

TRIALS = 200
FRAMES = 20
PATIENCE_S = 20.0


@pytest.mark.timeout(600)
def test_who_joins_late_misses_nothing(report: Callable[..., None]) -> None:
    chance = random.Random(3)
    with zmq.Context() as context:
        missed = [missed_by_one(context, chance) for _ in range(TRIALS)]
    report(trials=TRIALS, frames=TRIALS * FRAMES, missed=sum(missed))
    assert missed == [0] * TRIALS


def missed_by_one(
    context: zmq.Context[zmq.Socket[bytes]], chance: random.Random
) -> int:
    """Frames that a subscriber misses which joins somewhere between them.

    The rest are sent while its connection is being made.
    """
    stream = Stream(str(uuid4()), "simulator", "HAADF")
    before = chance.randrange(FRAMES + 1)

    def send(first: int, last: int) -> None:
        for seq in range(first, last):
            image = np.full((64, 64), seq, np.float32)
            publisher.send(Frame(stream, seq, image))

    with Publisher(context, "tcp://127.0.0.1:*") as publisher:
        send(0, before)
        with Subscriber(context, [publisher.url]) as subscriber:
            for seq in range(before, FRAMES):
                send(seq, seq + 1)
                if chance.random() < 0.5:
                    publisher.wait_for_subscriber(0.002)
            publisher.end(stream)
            return FRAMES - len(handed_over(subscriber))


def handed_over(subscriber: Subscriber) -> list[int]:
    """Every seq up to the end, in order."""
    seqs: list[int] = []
    while event := subscriber.receive(PATIENCE_S):
        match event:
            case Received(message=message):
                seqs.append(message.seq)
            case Gap():
                raise AssertionError(event)
            case Ended():
                break
            case _:
                pass
    assert seqs == sorted(set(seqs))
    return seqs
