"""The state of a service, as a field of heartbeats."""

import math
from collections.abc import Mapping
from functools import partial

from streamer.header import MAX_NAME, Fields
from streamer.service_state import Recorded, ServiceState

MAX_REASON = 1024
MAX_PROCESSES = 64


def write_state(state: ServiceState) -> Mapping[str, object]:
    """Fields of a service's state; those that came later only where there are some."""
    later = {
        "oldest_waiting_ns": state.oldest_waiting_ns,
        "oldest_unrecorded_ns": state.oldest_unrecorded_ns,
        "link_s": state.link_s,
        "restarts": None if state.restarts is None else dict(state.restarts),
    }
    return {
        "session": plain(state.session, MAX_NAME),
        "received": state.received,
        "committed": state.committed,
        "waiting": state.waiting,
        "aside": state.aside,
        "recorded": state.recorded,
        "reason": None if state.reason is None else plain(state.reason),
        "free_bytes": state.free_bytes,
        "bytes_per_s": state.bytes_per_s,
        **{key: value for key, value in later.items() if value is not None},
    }


def read_state(fields: Fields) -> ServiceState:
    """A service's state.

    Raises
    ------
    WireError
        A field is missing, of the wrong type or out of range.
    """
    return ServiceState(
        session=fields.text("session"),
        received=fields.count("received"),
        committed=fields.count("committed"),
        waiting=fields.count("waiting"),
        aside=fields.count("aside"),
        recorded=fields.choice("recorded", Recorded),
        reason=fields.optional(lambda name: fields.text(name, MAX_REASON), "reason"),
        free_bytes=fields.optional(fields.count, "free_bytes"),
        bytes_per_s=fields.optional(partial(read_rate, fields), "bytes_per_s"),
        oldest_waiting_ns=fields.optional(fields.count, "oldest_waiting_ns"),
        oldest_unrecorded_ns=fields.optional(fields.count, "oldest_unrecorded_ns"),
        link_s=fields.optional(partial(read_finite, fields), "link_s"),
        restarts=fields.optional(partial(read_counts, fields), "restarts"),
    )


def read_rate(fields: Fields, name: str) -> float:
    """A finite number that is not negative.

    Raises
    ------
    WireError
        It is another thing.
    """
    rate = fields.real(name)
    if not (math.isfinite(rate) and rate >= 0):
        raise fields.unexpected(name, "a finite number of 0 or more")
    return rate


def read_finite(fields: Fields, name: str) -> float:
    """A finite number.

    Raises
    ------
    WireError
        It is another thing.
    """
    value = fields.real(name)
    if not math.isfinite(value):
        raise fields.unexpected(name, "a finite number")
    return value


def read_counts(fields: Fields, name: str) -> Mapping[str, int]:
    """A count for each of a few names.

    Raises
    ------
    WireError
        It is another thing, or one is.
    """
    counts = fields.inner(name, MAX_PROCESSES)
    return {key: counts.count(key) for key in counts.values}


def plain(words: str, limit: int = MAX_REASON) -> str:
    """A source's own words, which may hold anything, names of files for instance."""
    return words[:limit].encode(errors="replace").decode()
