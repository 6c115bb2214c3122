"""Alerts as pages are told of them."""

from dashboard.alert import Alert
from dashboard.snapshot import Snapshot


def alert_lines(snapshot: Snapshot) -> list[dict[str, str]]:
    """A line for each alert, the newest first: its id, tone and words."""
    return [
        {"id": alert.id, "tone": alert.severity, "words": line(alert, snapshot)}
        for alert in snapshot.alerts
    ]


def line(alert: Alert, snapshot: Snapshot) -> str:
    """What is the matter, since which frame, and where if that is to be asked."""
    since = "" if alert.seq is None else f", since frame {alert.seq:,}"
    return f"{where(alert, snapshot)}{alert.words}{since}"


def where(alert: Alert, snapshot: Snapshot) -> str:
    """Which stream or service, if there are several."""
    streams = {
        channel.history.stream.id: name for name, channel in snapshot.channels.items()
    }
    places = streams if alert.place in streams else snapshot.services
    if len(places) < 2:
        return ""
    return f"{streams.get(alert.place, alert.place)}: "
