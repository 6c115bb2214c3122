"""What was sent is kept while there is room, the newest in any case."""

from streamer.messages import Content
from streamer.retention import Key, Retention
from streamer.wire import Parts

HAADF: Key = (Content.FRAME, "haadf")
BF: Key = (Content.FRAME, "bf")


def message(nbytes: int) -> Parts:
    return b"t", b"h", memoryview(bytes(nbytes - 2))


def test_the_oldest_gives_way() -> None:
    retention = Retention(30)
    for seq in range(5):
        retention.keep(HAADF, seq, message(10))
    assert [retention.get(HAADF, seq) is not None for seq in range(5)] == [
        False, False, True, True, True,
    ]  # fmt: skip
    assert retention.first(HAADF) == 2
    assert retention.nbytes == 30


def test_the_newest_is_kept_however_large_it_is() -> None:
    retention = Retention(30)
    retention.keep(HAADF, 0, message(10))
    retention.keep(HAADF, 1, message(100))
    assert retention.get(HAADF, 0) is None
    assert retention.get(HAADF, 1) is not None


def test_feeds_share_the_room() -> None:
    retention = Retention(30)
    retention.keep(HAADF, 0, message(10))
    retention.keep(BF, 0, message(10))
    retention.keep(BF, 1, message(20))
    assert retention.first(HAADF) is None
    assert retention.first(BF) == 0


def test_a_message_that_is_kept_again_counts_once() -> None:
    retention = Retention(30)
    for nbytes in (10, 20):
        retention.keep(HAADF, 0, message(nbytes))
    assert retention.nbytes == 20
