"""Who asks is answered in turn, and nobody makes the list grow."""

from streamer.frame import Stream
from streamer.messages import MAX_STREAMS, Content, Feed, Request
from streamer.waiting import MAX_CLIENTS, Waiting

HAADF = Feed(Content.FRAME, Stream("a", "nion", "HAADF"))
BF = Feed(Content.FRAME, Stream("b", "nion", "BF"))


def test_an_answer_leaves_the_rest_of_the_request() -> None:
    waiting = Waiting()
    request = Request(HAADF, 0, 9)
    waiting.add(b"client", request)
    waiting.answered(b"client", request, last=3)
    assert waiting.next(b"client") == Request(HAADF, 4, 9)
    waiting.answered(b"client", Request(HAADF, 4, 9), last=20)
    assert waiting.clients() == ()


def test_the_feeds_of_a_client_take_turns() -> None:
    waiting = Waiting()
    for feed in (HAADF, BF):
        waiting.add(b"client", Request(feed, 0, 9))
    order = []
    for _ in range(4):
        request = waiting.next(b"client")
        order.append((request.feed.stream.channel, request.first))
        waiting.answered(b"client", request, request.first)
    assert order == [("HAADF", 0), ("BF", 0), ("HAADF", 1), ("BF", 1)]


def test_who_asks_again_replaces_the_question() -> None:
    waiting = Waiting()
    for first in range(1000):
        waiting.add(b"client", Request(HAADF, first, 2000))
    request = waiting.next(b"client")
    waiting.answered(b"client", request, request.last)
    assert request.first == 999
    assert waiting.clients() == ()


def test_who_asks_for_feeds_that_do_not_exist_is_soon_forgotten() -> None:
    waiting = Waiting()
    for number in range(10_000):
        made_up = Feed(Content.FRAME, Stream(str(number), "nion", "BF"))
        waiting.add(b"client", Request(made_up, 0, 9))
    turns = 0
    while waiting.clients():
        waiting.answered(b"client", waiting.next(b"client"), 9)
        turns += 1
    assert turns == MAX_STREAMS


def test_of_too_many_clients_the_first_is_forgotten() -> None:
    waiting = Waiting()
    clients = [str(number).encode() for number in range(MAX_CLIENTS + 1)]
    for client in clients:
        waiting.add(client, Request(HAADF, 0, 0))
    assert waiting.clients() == tuple(clients[1:])
