"""The side of a publisher that owns its sockets, in a thread of its own."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition

import zmq

from streamer.catalogue import Catalogue, key_of
from streamer.doorbell import Doorbell
from streamer.endpoint import receive
from streamer.errors import WireError
from streamer.header import is_identifier
from streamer.messages import (
    SUBSCRIBER_TOPIC,
    Done,
    End,
    Heartbeat,
    Message,
    Request,
    Unavailable,
)
from streamer.retention import Key
from streamer.roster import Roster
from streamer.service_state import ServiceState
from streamer.stand import Stand
from streamer.waiting import Waiting
from streamer.wire import PARTS, Parts, pack, unpack

BUSY_MS = 5
"""How soon to try again when a subscriber's queue is full."""
READS = 64
"""Subscriptions or requests that are read before the live stream has its turn."""


@dataclass(slots=True)
class Outbox:
    """What the publisher's callers and its thread share, guarded by `changed`."""

    catalogue: Catalogue
    roster: Roster = field(default_factory=Roster)
    changed: Condition = field(default_factory=Condition)
    bell: Doorbell = field(default_factory=Doorbell)
    live: deque[tuple[Key, int] | End] = field(default_factory=deque)
    """What is to be sent, by name: the messages lie in the catalogue, which is
    bounded, so that a stalled network cannot fill the memory."""
    notice: str | None = None
    """What people should know now."""
    linger_s: float | None = None
    """Set when the publisher is being closed."""


@dataclass(slots=True)
class Counts:
    """What has passed through the sockets."""

    sent: int = 0
    sent_bytes: int = 0
    caught_up: int = 0
    rejected: int = 0


class Transmitter:
    """Sends what is in the outbox, answers who asks for more, gives heartbeats.

    Nothing here waits for a subscriber: where a queue is full, a live message is
    left out for that subscriber (it will ask), and an answer is tried again.
    """

    def __init__(
        self,
        stand: Stand,
        outbox: Outbox,
        heartbeat_s: float,
        clock: Callable[[], float],
        wall_ns: Callable[[], int],
        state: Callable[[], ServiceState | None],
    ) -> None:
        self._stand = stand
        self._state = state
        self._outbox = outbox
        self._heartbeat_s, self._clock, self._wall_ns = heartbeat_s, clock, wall_ns
        self._beat_s = clock()
        self._waiting = Waiting()
        self._unsent: dict[bytes, Parts] = {}
        self._said: str | None = None
        self.counts = Counts()

    def run(self) -> None:
        """Serve until the outbox is closed; then close the sockets."""
        try:
            while self._outbox.linger_s is None:
                self._wait()
                self._turn()
            self._mind_gate()
            self._send_live(len(self._outbox.live))
        except zmq.ContextTerminated:
            self._outbox.linger_s = 0
        finally:
            self._stand.close(self._outbox.linger_s or 0)

    @property
    def refused(self) -> int:
        """Connections of those who are not allowed."""
        return self._stand.refused

    def _wait(self) -> None:
        """Return when there may be something to do."""
        poller = zmq.Poller()
        for source in (*self._stand.sockets(), self._outbox.bell):
            poller.register(source, zmq.POLLIN)
        poller.poll(self._pause_ms())

    def _turn(self) -> None:
        """Do once whatever there is to do, the live stream first."""
        self._outbox.bell.silence()
        # Counted first: what is sent once somebody is revoked never goes to them.
        due = len(self._outbox.live)
        self._mind_gate()
        self._send_live(due)
        self._read_subscriptions()
        self._read_requests()
        self._answer()
        if self._clock() >= self._beat_s or self._outbox.notice != self._said:
            self._beat()

    def _pause_ms(self) -> int:
        """How long nothing needs to be done, unless somebody calls."""
        waiting = set(self._waiting.clients())
        if waiting - self._unsent.keys():
            return 0
        if self._unsent:
            return BUSY_MS
        return max(0, round((self._beat_s - self._clock()) * 1000))

    def _mind_gate(self) -> bool:
        """Let in who is allowed; cut everybody, and say so, when that has changed."""
        if not self._stand.mind():
            return False
        self._waiting.forget_all()
        self._unsent.clear()
        with self._outbox.changed:
            self._outbox.roster.part_all(self._clock())
            self._outbox.changed.notify_all()
        return True

    def _send_live(self, count: int) -> None:
        outbox = self._outbox
        for _ in range(count):
            item = outbox.live.popleft()
            if isinstance(item, End):
                self._publish(pack(item, self._wall_ns()))
                self._beat_s = self._clock()
                continue
            with outbox.changed:
                parts = outbox.catalogue.kept(*item)
            if parts is not None:
                self._publish(parts)
                self.counts.sent += 1
                self.counts.sent_bytes += len(parts[2])

    def _publish(self, parts: Parts) -> None:
        self._stand.live.send_multipart(parts, copy=False)

    def _read_subscriptions(self) -> None:
        for _ in range(READS):
            parts = receive(self._stand.live, 1)
            if parts is None:
                return
            self._subscription(bytes(parts[0]))

    def _subscription(self, message: bytes) -> None:
        """Somebody subscribed (1) or no longer subscribes (0) to a topic."""
        subscribes, topic = message[:1] == b"\1", message[1:].decode(errors="replace")
        if subscribes:
            # Who is late learns at once what there is to ask for.
            self._beat_s = self._clock()
        name = topic.removeprefix(SUBSCRIBER_TOPIC)
        if name != topic and is_identifier(name):
            with self._outbox.changed:
                if subscribes:
                    self._outbox.roster.join(name)
                else:
                    self._outbox.roster.part(name, self._clock())
                self._outbox.changed.notify_all()

    def _read_requests(self) -> None:
        for _ in range(READS):
            parts = receive(self._stand.catch_up, 1 + PARTS)
            if parts is None:
                return
            client, *message = parts
            try:
                self._request(bytes(client), unpack(message).message)
            except WireError:
                self.counts.rejected += 1

    def _request(self, client: bytes, message: Message) -> None:
        match message:
            case Request():
                self._waiting.add(client, message)
            case Done():
                with self._outbox.changed:
                    self._outbox.roster.note(message)
                    self._outbox.changed.notify_all()
            case _:
                raise WireError("a message that subscribers do not send")

    def _answer(self) -> None:
        """One message for each who waits, so that none waits for another."""
        for client in {*self._waiting.clients(), *self._unsent}:
            parts = self._unsent.pop(client, None) or self._next_answer(client)
            # To look up takes as long as a disk does: somebody may be revoked, and
            # what was sent after that be among the answers.
            if self._mind_gate():
                return
            if parts is not None:
                self._reply(client, parts)

    def _next_answer(self, client: bytes) -> Parts | None:
        """The next message that `client` asked for, or the word that there is none."""
        asked = self._waiting.next(client)
        outbox = self._outbox
        with outbox.changed:
            request = outbox.catalogue.limit(asked)
            if request is None:
                self._waiting.answered(client, asked, asked.last)
                return None
            parts = outbox.catalogue.kept(key_of(request.feed), request.first)
        last = request.first
        if parts is None:
            parts, last = self._again(request)
        self._waiting.answered(client, request, last)
        return parts

    def _again(self, request: Request) -> tuple[Parts, int]:
        """The first message of `request` from its source, or why it cannot be had.

        Together with the seq up to which that answers the request.
        """
        try:
            again = self._outbox.catalogue.recalled(request)
            if again is not None:
                first_ns = again.sent_ns
                sent_ns = self._wall_ns() if first_ns is None else first_ns
                return pack(again.message, sent_ns), request.first
            with self._outbox.changed:
                missing = self._outbox.catalogue.unavailable(request)
        except WireError as error:
            feed, seq = request.feed, request.first
            missing = Unavailable(feed, seq, seq, str(error))
        return pack(missing, self._wall_ns()), missing.last

    def _reply(self, client: bytes, parts: Parts) -> None:
        try:
            self._stand.catch_up.send_multipart(
                [client, *parts], zmq.NOBLOCK, copy=False
            )
        except zmq.Again:
            self._unsent[client] = parts
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self._waiting.forget(client)
        else:
            self.counts.caught_up += 1

    def _beat(self) -> None:
        """Say what there is; the next time in `heartbeat_s`."""
        self._beat_s = self._clock() + self._heartbeat_s
        with self._outbox.changed:
            feeds = self._outbox.catalogue.states()
        self._said = self._outbox.notice
        beat = Heartbeat(self._stand.advertised, feeds, self._said, self._state())
        self._publish(pack(beat, self._wall_ns()))
