"""The life of one frame, moment by moment, as far as its session has recorded it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from streamer.frame import Frame
from streamer.session.records import AnalysisRecord, AttemptRecord, FrameRecord

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOT_RECORDED = "not recorded"
SCAN_ENDS, RECEIVED = "scan ends", "received"
DAY_NS = 86_400 * 10**9
CLOCKS_NS = 10**9
"""By which the clock of a source may well be ahead."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a frame."""

    what: str
    at_ns: int | None
    """Since 1970 UTC; None where nobody has recorded it."""
    remark: str = ""


def life_of(
    frame: Frame,
    record: FrameRecord,
    analysis: AnalysisRecord | None,
    aside: AttemptRecord | None,
) -> Iterator[Moment]:
    """What happened to a frame, in the order of the way that frames go.

    Parameters
    ----------
    analysis
        Of the frame; None if it has none.
    aside
        Why it is not analysed, if that is known.
    """
    of_source = "source's clock"
    yield Moment("scan begins", frame.start_ns, of_source)
    yield Moment(SCAN_ENDS, frame.end_ns, of_source)
    yield Moment("sent", record.sent_ns, of_source)
    yield Moment(RECEIVED, record.received_ns)
    yield Moment("committed", record.committed_ns)
    if analysis:
        yield from stages(record.received_ns, analysis)
        yield Moment("analysis committed", analysis.committed_ns)
    elif aside:
        yield Moment("set aside", None, aside.reason or "")
    else:
        yield Moment("analysis", None, "not yet")


def stages(received_ns: int, analysis: AnalysisRecord) -> Iterator[Moment]:
    """Beginning of the analysis, and the end of each of its stages.

    Recorded are how long each stage took and when the last was done: what lay between
    them is counted to the time before the first.
    """
    if not math.isfinite(analysis.latency_s):
        yield Moment("analysis", None)
        return
    done_ns = received_ns + round(analysis.latency_s * 1e9)
    left_ms = sum(analysis.stages_ms.values())
    yield Moment("analysis begins", done_ns - round(left_ms * 1e6))
    for name, took_ms in analysis.stages_ms.items():
        left_ms -= took_ms
        at_ns = done_ns - round(left_ms * 1e6)
        yield Moment(f"  {name} done", at_ns, f"took {took_ms:.1f} ms")


def life_in_words(moments: Sequence[Moment]) -> Iterator[tuple[str, str, str, str]]:
    """(what, clock, difference from `zero_of`, remark) of each moment."""
    zero_ns = zero_of(moments)
    for moment in moments:
        if moment.at_ns is None:
            yield moment.what, NOT_RECORDED, "", moment.remark
            continue
        since_s = (moment.at_ns - zero_ns) * 1e-9
        yield moment.what, clock(moment.at_ns), f"{since_s:+.3f} s", moment.remark


def zero_of(moments: Sequence[Moment]) -> int:
    """From when differences count, ns since 1970 UTC.

    The end of the scan; where that is not known, or a recorded stack has brought the
    frame another day, or a movie is shown faster than it was scanned, when it was
    received.
    """
    at_ns = {moment.what: moment.at_ns for moment in moments}
    ended_ns, received_ns = at_ns[SCAN_ENDS], at_ns[RECEIVED] or 0
    if ended_ns is None or not -CLOCKS_NS < received_ns - ended_ns < DAY_NS:
        return received_ns
    return ended_ns


def clock(at_ns: int) -> str:
    """A moment in UTC, to the millisecond."""
    try:
        moment = EPOCH + timedelta(microseconds=at_ns // 1000)
    except OverflowError:
        return f"{at_ns} ns"  # what a source says of its clock may be any number
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"
