"""Asks for metrics, and reads them as Prometheus does."""

from collections.abc import Callable, Iterable
from http.client import HTTPConnection

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

type Samples = dict[str, float]


def values_of(families: Iterable[Metric]) -> Samples:
    """Values by name and labels, as Prometheus writes them."""
    return {
        sample.name
        + (
            "{" + ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items())) + "}"
            if sample.labels
            else ""
        ): sample.value
        for family in families
        for sample in family.samples
    }


def answer_of(port: int, path: str, verb: str = "GET") -> tuple[int, str]:
    """Status and text; status 0 if nobody answers."""
    line = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        line.request(verb, path)
        answer = line.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        line.close()


def values_at(port: int) -> Samples:
    status, text = answer_of(port, "/metrics")
    return values_of(text_string_to_metric_families(text)) if status == 200 else {}


@pytest.fixture(scope="session")
def samples() -> Callable[[Iterable[Metric]], Samples]:
    return values_of


@pytest.fixture(scope="session")
def ask() -> Callable[..., tuple[int, str]]:
    return answer_of


@pytest.fixture(scope="session")
def scrape() -> Callable[[int], Samples]:
    return values_at
