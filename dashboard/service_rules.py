"""Rules about services and the clock: whether frames come, and are kept."""

from collections.abc import Iterator, Mapping

from dashboard.alert import Judgement, Severity
from dashboard.alert_rules import NOTICE, STOPPED, AlertRules
from dashboard.snapshot import Link, LinkState
from streamer.service_state import Recorded, ServiceState

ROOM_AGAIN = 1.1
"""Times the limit at which a disk is no longer short of room."""


def silence(
    stream_id: str, last_seq: int, age_s: float | None, rules: AlertRules
) -> Iterator[Judgement]:
    """Whether frames have stopped to come.

    `age_s` is the time since the last of them; None where no further one is awaited.
    """
    limit = rules.no_frame_for_s
    if limit is None:
        return
    is_late = age_s is not None and age_s > limit
    yield Judgement(
        rule="no_frame_for_s",
        place=stream_id,
        severity=Severity.BAD,
        words=f"no data for more than {limit:g} s",
        is_out=is_late,
        ends=not is_late,
        seq=last_seq,
    )


def service_judgements(
    url: str, state: ServiceState, rules: AlertRules
) -> Iterator[Judgement]:
    """What the rules about services say of one."""
    if rules.not_recording:
        is_hindered = state.recorded is Recorded.NO
        yield Judgement(
            rule="not_recording",
            place=url,
            severity=Severity.BAD,
            words=one_line(state.reason or "NOT RECORDING"),
            is_out=is_hindered,
            ends=not is_hindered,
        )
    if (limit := rules.backlog_above_frames) is not None:
        yield Judgement(
            rule="backlog_above_frames",
            place=url,
            severity=Severity.WARN,
            words=f"frames are late: {state.waiting:,} wait, above {limit:g}",
            is_out=state.waiting > limit,
            ends=state.waiting <= limit / 2,
        )
    if (limit := rules.disk_below_gb) is not None and state.free_bytes is not None:
        free_gb = state.free_bytes / 1e9
        yield Judgement(
            rule="disk_below_gb",
            place=url,
            severity=Severity.WARN,
            words=f"the disk has room for {free_gb:.1f} GB only, below {limit:g} GB",
            is_out=free_gb < limit,
            ends=free_gb >= ROOM_AGAIN * limit,
        )


def notice_judgements(
    notices: Mapping[str, str], services: Mapping[str, ServiceState], rules: AlertRules
) -> Iterator[Judgement]:
    """What services say by themselves, unless an alert says the same."""
    for url, text in notices.items():
        state = services.get(url)
        is_said = rules.not_recording and state is not None and state.reason == text
        yield Judgement(
            rule=NOTICE,
            place=url,
            severity=Severity.BAD,
            words=one_line(text),
            is_out=not is_said,
            ends=is_said,
        )


def stop(link: Link) -> Judgement:
    """Whether this dashboard can show nothing new."""
    has_failed = link.state is LinkState.FAILED
    return Judgement(
        rule=STOPPED,
        place=link.origin,
        severity=Severity.BAD,
        words=one_line(f"this page is fed no more: {link.words}"),
        is_out=has_failed,
        ends=not has_failed,
    )


def one_line(text: str) -> str:
    """Whatever another program says, in one line that can be printed."""
    return "".join(c if c.isprintable() else " " for c in text)
