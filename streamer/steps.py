"""What follows, one after the other, from what was heard of a feed."""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Delivery(Generic[T]):
    """The next message."""

    seq: int
    item: T


@dataclass(frozen=True, slots=True)
class Lost:
    """`first` to `last`, both included, will never come."""

    first: int
    last: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ask:
    """`first` to `last`, both included, shall be asked for."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing more will come."""

    total: int | None
    """How many the feed had; None when its source vanished without an end."""


Step: TypeAlias = Delivery[T] | Lost | Ask | Finished
