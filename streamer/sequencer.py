"""One feed in order: what to hand over, what to ask for again, what is lost.

A state machine without sockets and without a clock. What was heard goes in, each
call with the time at which it was heard; `steps` gives what follows from it. The
position in the feed (`seq`) alone decides order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from streamer.start import Start
from streamer.steps import Ask, Delivery, Finished, Lost, Step

T = TypeVar("T")

NO_CATCH_UP = "the source cannot be asked again"
NO_ANSWER = "the source lives but did not answer on its catch-up address"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one feed may cost, and how patient it is."""

    buffer_bytes: int = 64 * 2**20
    """Messages held back until those before them have come."""
    together_bytes: int = 256 * 2**20
    """The same for all feeds of a subscriber: a source may announce a thousand."""
    window: int = 32
    """Messages asked for at a time."""
    retry_s: float = 2.0
    """Silence after which a request is repeated."""
    attempts: int = 15
    """Requests that a source may leave unanswered while it is heard otherwise."""
    grace_s: float = 3.0
    """How long a source may take to say where it can be asked."""


@dataclass(slots=True)
class Held:
    """What the feeds of one subscriber hold back together."""

    nbytes: int = 0


class Sequencer(Generic[T]):
    """Puts one feed in order.

    Parameters
    ----------
    start
        Where to begin; of no effect with `resume_at`.
    resume_at
        The seq to begin with, when the subscriber has had the ones before.
    bounds
        Limits on memory and time.
    together
        What this and other feeds hold back.
    """

    __slots__ = (
        "_abandoned",
        "_asked",
        "_asked_s",
        "_bounds",
        "_gone",
        "_heard_s",
        "_held",
        "_held_bytes",
        "_newest",
        "_next",
        "_start",
        "_stuck_s",
        "_together",
        "_total",
        "catch_up",
        "finished",
        "unanswered",
    )

    def __init__(
        self,
        start: Start,
        resume_at: int | None = None,
        bounds: Bounds | None = None,
        together: Held | None = None,
    ) -> None:
        self._start = start
        self._bounds = bounds or Bounds()
        self._together = together or Held()
        self._next = 0 if start.keep is None else None
        if resume_at is not None:
            self._next = resume_at
        self._newest = -1
        self._total: int | None = None
        self._abandoned = False
        self.finished = False
        self._held: dict[int, tuple[T, int]] = {}
        self._held_bytes = 0
        self._gone: list[Lost] = []
        self.catch_up: bool | None = None
        """Whether the source can be asked; None while it has not said."""
        self._asked: Ask | None = None
        self._asked_s = 0.0
        self.unanswered = 0
        """Requests in a row that a source let pass which was heard otherwise."""
        self._heard_s = 0.0
        self._stuck_s: float | None = None

    @property
    def next_seq(self) -> int:
        """The first seq that was neither delivered nor given up; 0 when unknown."""
        return self._next or 0

    @property
    def is_asking(self) -> bool:
        """Whether an answer of the source is waited for."""
        return self._asked is not None

    def is_past_end(self, seq: int) -> bool:
        """Whether the feed ended before `seq`."""
        return self._total is not None and seq >= self._total

    def arrive(self, seq: int, item: T, nbytes: int, now_s: float) -> None:
        """A message came, live or because it was asked for."""
        first_wanted = self._begin(seq, 1)
        self._learn(seq)
        self._heard_s = now_s
        if self._asked and self._asked.first <= seq <= self._asked.last:
            self._answered(now_s)
        if first_wanted <= seq <= self._newest and seq not in self._held:
            self._hold(seq, item, nbytes)

    def hear(self, newest: int, total: int | None, now_s: float) -> None:
        """A heartbeat came: how far the feed is."""
        self._begin(newest, 0)
        self._learn(newest)
        self._heard_s = now_s
        if total is not None:
            self.end(total)

    def end(self, total: int) -> None:
        """The feed ended with `total` messages."""
        self._begin(total - 1, 0)
        self._learn(total - 1)
        self._total = self._newest + 1

    def give_up(self, first: int, last: int, reason: str, now_s: float) -> None:
        """The source said that `first` to `last` cannot be had."""
        last = min(last, self._newest)
        if self._asked and first <= self._asked.last and last >= self._asked.first:
            self._answered(now_s)
        # What is about later ones and does not fit is asked for again in its turn.
        has_room = first <= self.next_seq or len(self._gone) < self._bounds.window
        if last >= max(first, self.next_seq) and has_room:
            self._gone.append(Lost(first, last, reason))

    def abandon(self, reason: str) -> None:
        """The source is gone for good: what is missing will not come."""
        self._gone.append(Lost(self.next_seq, self._newest, reason))
        self._abandoned = True

    def rewind(self, seq: int) -> None:
        """Nothing from `seq` on was taken care of: it is wanted once more."""
        self._next = min(self.next_seq, seq)
        self._held.clear()
        self._count(-self._held_bytes)
        self._gone.clear()
        self._asked = self._stuck_s = None
        self.unanswered = 0
        self.finished = False

    def steps(self, now_s: float) -> Iterator[Step[T]]:
        """What follows from all that was heard until now."""
        yield from self._in_order()
        while self.catch_up is False and self._missing():
            self._lose_missing(NO_CATCH_UP)
            yield from self._in_order()
        yield from self._finish()
        yield from self._ask(now_s)

    def expire(self, now_s: float) -> None:
        """Let time pass: repeat a request, or give up on a source that is deaf.

        To be called only when nothing that arrived is waiting to be read.
        """
        bounds = self._bounds
        if self._asked and now_s - self._asked_s >= bounds.retry_s:
            # A silent source may be away; one that is heard but deaf is not.
            self.unanswered += self._heard_s > self._asked_s
            self._asked = None
            if self.unanswered >= bounds.attempts:
                self._lose_missing(NO_ANSWER)
        if self.catch_up is None and self._stuck_s is not None:
            has_grace = now_s - self._stuck_s < bounds.grace_s
            self.catch_up = None if has_grace else False

    def _begin(self, seq: int, least: int) -> int:
        """First seq that is wanted, decided by the first thing heard."""
        if self._next is None:
            keep = max(self._start.keep or 0, least)
            self._next = max(0, seq + 1 - keep)
        return self._next

    def _learn(self, newest: int) -> None:
        """There are messages up to `newest`; what has ended does not grow."""
        if self._total is None and not self._abandoned:
            self._newest = max(self._newest, newest)

    def _answered(self, now_s: float) -> None:
        self._asked_s = now_s
        self.unanswered = 0

    def _hold(self, seq: int, item: T, nbytes: int) -> None:
        """Keep `item` until its turn, if there is room for it."""
        if seq != self._next and not self._make_room(seq, nbytes):
            if self.catch_up is not None:
                return  # It will be asked for when its turn comes.
            # Who has not said by now that it can be asked is taken at its silence,
            # so that this message is not lost as well.
            self.catch_up = False
        self._held[seq] = (item, nbytes)
        self._count(nbytes)

    def _make_room(self, seq: int, nbytes: int) -> bool:
        """Whether `nbytes` fit, once what is farther ahead than `seq` gave way."""
        elsewhere = self._together.nbytes - self._held_bytes
        left = min(self._bounds.buffer_bytes, self._bounds.together_bytes - elsewhere)
        limit = left - nbytes
        while self._held and self._held_bytes > limit and max(self._held) > seq:
            self._count(-self._held.pop(max(self._held))[1])
        return self._held_bytes <= limit

    def _count(self, nbytes: int) -> None:
        self._held_bytes += nbytes
        self._together.nbytes += nbytes

    def _in_order(self) -> Iterator[Delivery[T] | Lost]:
        """Deliver and give up, one after another, as far as known."""
        while self._next is not None:
            if self._next in self._held:
                item, nbytes = self._held.pop(self._next)
                self._count(-nbytes)
                self._next += 1
                yield Delivery(self._next - 1, item)
            elif lost := self._lost_next(self._next):
                self._next = lost.last + 1
                yield lost
            else:
                return

    def _lost_next(self, seq: int) -> Lost | None:
        """The run from `seq` on that cannot be had, if that is known."""
        self._gone = [lost for lost in self._gone if lost.last >= seq]
        for lost in self._gone:
            if lost.first <= seq:
                return Lost(seq, min([lost.last, *self._before_held()]), lost.reason)
        return None

    def _before_held(self) -> list[int]:
        """The seq before the nearest one that is held; empty when none is."""
        return [min(self._held) - 1] if self._held else []

    def _missing(self) -> Ask | None:
        """The run of seqs that exist, have not come and are not known as lost."""
        if self._next is None or self._next > self._newest:
            return None
        before_gone = [lost.first - 1 for lost in self._gone]
        return Ask(self._next, min([self._newest, *self._before_held(), *before_gone]))

    def _lose_missing(self, reason: str) -> None:
        """Give up the run that is missing now, if there is one."""
        if missing := self._missing():
            self._gone.insert(0, Lost(missing.first, missing.last, reason))

    def _finish(self) -> Iterator[Finished]:
        """The end, once everything before it is delivered or given up."""
        if self.finished or self._next is None or self._next <= self._newest:
            return
        if self._abandoned or self._total is not None:
            self.finished = True
            yield Finished(self._total)

    def _ask(self, now_s: float) -> Iterator[Ask]:
        """A request for the next missing ones, unless one is on its way."""
        missing = self._missing()
        if missing is None:
            self._asked = self._stuck_s = None
            return
        if self._stuck_s is None:
            self._stuck_s = now_s
        on_its_way = self._asked and missing.first <= self._asked.last
        if self.catch_up and not on_its_way:
            last = min(missing.last, missing.first + self._bounds.window - 1)
            self._asked, self._asked_s = Ask(missing.first, last), now_s
            yield self._asked
