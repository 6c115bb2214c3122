"""What the page's server tells Prometheus: alerts, viewers, and how long they wait."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from tornado.web import RequestHandler

from dashboard.hub import Hub

METRICS = "/metrics"

PAINT_BUCKETS_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10)


class PageMetrics:
    """Metrics of the pages of one hub; times are counted from now on.

    Parameters
    ----------
    hub
        Whose alerts, viewers and paints they are.
    """

    def __init__(self, hub: Hub) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(OfHub(hub))
        paints = Histogram(
            "atomstream_page_paint_seconds",
            "From the arrival of an analysis at the page's server until a viewer's "
            "browser has painted it.",
            buckets=PAINT_BUCKETS_S,
            registry=self.registry,
        )
        hub.watch_paints(lambda paint: paints.observe(paint.took_s))


class OfHub(Collector):
    """What holds at the moment of a scrape."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """All of it, for `prometheus_client`."""
        snapshot = self._hub.snapshot
        standing = GaugeMetricFamily(
            "atomstream_alerts_standing",
            "Alerts that stand now, by their rule.",
            labels=("rule",),
        )
        begun = CounterMetricFamily(
            "atomstream_alerts_total",
            "Alerts that have begun, by their rule.",
            labels=("rule",),
        )
        # From 0 on: a first one is a step that can be alerted of.
        for rule in dict.fromkeys((*self._hub.rules.names, *snapshot.alerts_begun)):
            now = sum(alert.rule == rule for alert in snapshot.alerts)
            standing.add_metric((rule,), now)
            begun.add_metric((rule,), snapshot.alerts_begun.get(rule, 0))
        yield standing
        yield begun
        yield GaugeMetricFamily(
            "atomstream_page_viewers", "Pages that are open.", self._hub.listeners
        )


class MetricsPage(RequestHandler):
    """All of them, in Prometheus' text format."""

    def initialize(self, registry: CollectorRegistry) -> None:
        """Take what the application was made with."""
        self._registry = registry

    def get(self) -> None:  # type: ignore[mutable-override] # Tornado's way
        """Answer a scrape."""
        self.set_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4)
        self.finish(generate_latest(self._registry))
