"""Why analyses will never come, in a few words that are always the same."""

from atomstream.metrics.bounded import OTHER
from streamer.catalogue import EVICTED, NEVER_SENT, UNREADABLE
from streamer.following import ABANDONED, FORGOTTEN
from streamer.sequencer import NO_ANSWER, NO_CATCH_UP

CAUSES = {
    NEVER_SENT: "never-sent",
    EVICTED: "not-kept",
    UNREADABLE: "unreadable",
    NO_ANSWER: "no-answer",
    NO_CATCH_UP: "no-catch-up",
    ABANDONED: "restarted-without",
    FORGOTTEN: "too-many-streams",
}
"""By how reasons begin: what follows a colon there differs from time to time."""


def cause_of(reason: str) -> str:
    """One of `CAUSES`, or "other"."""
    return CAUSES.get(reason.partition(":")[0], OTHER)
