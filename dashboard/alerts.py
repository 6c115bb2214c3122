"""Which alerts stand: what the rules say of a snapshot, beside what stood before."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import MappingProxyType

from dashboard.alert import Alert, Judgement
from dashboard.alert_rules import AlertRules
from dashboard.frame_rules import frame_judgements
from dashboard.service_rules import (
    notice_judgements,
    service_judgements,
    silence,
    stop,
)
from dashboard.snapshot import LinkState, Snapshot
from streamer.service_state import Recorded

LIVE = (LinkState.RECEIVING, LinkState.SILENT)
"""While frames can still come; those of a recording are never late."""


def with_alerts(
    snapshot: Snapshot, rules: AlertRules, now_s: float, wall_s: float
) -> Snapshot:
    """`snapshot` with the alerts that stand now; itself if they are the same.

    Parameters
    ----------
    now_s
        On the feed's clock.
    wall_s
        Since 1970 UTC.
    """
    told = tuple(judgements(snapshot, rules, now_s))
    alerts = standing(snapshot.alerts, told, wall_s)
    if alerts == snapshot.alerts:
        return snapshot
    known = {alert.id for alert in snapshot.alerts}
    begun = Counter(alert.rule for alert in alerts if alert.id not in known)
    counts = {
        rule: snapshot.alerts_begun.get(rule, 0) + begun[rule]
        for rule in {**snapshot.alerts_begun, **begun}
    }
    return replace(snapshot, alerts=alerts, alerts_begun=MappingProxyType(counts))


def judgements(
    snapshot: Snapshot, rules: AlertRules, now_s: float
) -> Iterator[Judgement]:
    """What each rule says of each stream and service."""
    for channel in snapshot.channels.values():
        history = channel.history
        is_live = snapshot.link.state in LIVE and not channel.ended
        age_s = now_s - channel.published_s if is_live else None
        yield from frame_judgements(
            history.records, history.stream.id, rules, is_live=is_live
        )
        yield from silence(history.stream.id, history.newest.seq, age_s, rules)
    for url, state in snapshot.services.items():
        if state.recorded is not Recorded.OFF:
            yield from service_judgements(url, state, rules)
    yield from notice_judgements(snapshot.notices, snapshot.services, rules)
    yield stop(snapshot.link)


def standing(
    before: Iterable[Alert], told: Iterable[Judgement], wall_s: float
) -> tuple[Alert, ...]:
    """The alerts that stand after those of `before`, the newest first.

    One of which nothing is told any more has no stream or service left: it ends.
    """
    known = {alert.key: alert for alert in before}
    alerts = [after(known.get(each.key), each, wall_s) for each in told]
    stand = [alert for alert in alerts if alert is not None]
    return tuple(sorted(stand, key=lambda alert: alert.began_s, reverse=True))


def after(alert: Alert | None, told: Judgement, wall_s: float) -> Alert | None:
    """The alert that stands after a judgement, if one does."""
    if alert is not None:
        if told.ends:
            return None
        return replace(alert, words=told.words) if told.is_out else alert
    if not (told.is_out and told.lasts):
        return None
    return Alert(
        told.rule, told.place, told.severity, told.words, told.seq, began_s=wall_s
    )
