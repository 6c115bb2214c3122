"""What the page's server tells Prometheus."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dashboard.access.guard import basic_password
from dashboard.access.password import Password
from dashboard.access.terms import Access
from dashboard.alert_rules import AlertRules
from dashboard.hub import Hub, Paint
from dashboard.server import Dashboard
from dashboard.snapshot import LinkState
from streamer.analysis import Analysis, Flag

type Movie = Callable[[int], Analysis]

PASSWORD = "a password of the lab"
RULES = AlertRules(frames_in_a_row=1, crystallinity_below=0.5, flags=(Flag.BLURRED,))


@pytest.fixture
def hub() -> Hub:
    hub = Hub("here", lambda: 0.0, rules=RULES)
    hub.set_link(LinkState.RECEIVING)
    return hub


@pytest.fixture
def guarded(hub: Hub) -> Iterator[str]:
    """Where the metrics are of a page with a password."""
    with Dashboard(hub, port=0, access=Access(Password.of(PASSWORD))) as dashboard:
        yield f"{dashboard.url}/metrics"


def scrape(url: str, authorization: str = "") -> dict[str, float]:
    headers = {"Authorization": authorization} if authorization else {}
    with urlopen(Request(url, headers=headers), timeout=20) as answer:
        text = answer.read().decode()
    return {
        f"{sample.name}{sample.labels.get('rule', '')}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "le" not in sample.labels
    }


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"prometheus:{password}".encode()).decode()


def of_order(analysis: Analysis, crystallinity: float) -> Analysis:
    summary = replace(analysis.summary, mean_crystallinity=crystallinity)
    return replace(analysis, summary=summary)


def test_every_rule_that_is_on_is_there_before_its_first_alert(hub: Hub) -> None:
    with Dashboard(hub, port=0) as dashboard:
        said = scrape(f"{dashboard.url}/metrics")
    rules = {name.removeprefix("atomstream_alerts_standing") for name in said} & {
        *RULES.names
    }
    assert rules == {*RULES.names}
    assert "crystallinity_below" in rules
    assert "flags blurred" in rules
    assert "silicon_below" not in rules, "is off"
    assert "frames_in_a_row" not in rules, "is no rule"
    assert {said[f"atomstream_alerts_total{rule}"] for rule in rules} == {0}


def test_alerts_that_stand_and_that_have_begun_are_counted_by_rule(
    hub: Hub, movie: Movie
) -> None:
    name = "crystallinity_below"
    told = []
    with Dashboard(hub, port=0) as dashboard:
        for seq, order in enumerate((0.9, 0.1, 0.9, 0.2)):
            hub.add(of_order(movie(seq), order))
            said = scrape(f"{dashboard.url}/metrics")
            told.append([said[f"atomstream_alerts_{n}{name}"] for n in KINDS])
    assert told == [[0, 0], [1, 1], [0, 1], [1, 2]]


KINDS = ("standing", "total")


def test_how_long_viewers_waited_is_summed_up(hub: Hub) -> None:
    with Dashboard(hub, port=0) as dashboard:
        hub.paint(Paint(0, arrived_s=10.0, painted_s=10.25))
        hub.paint(Paint(1, arrived_s=20.0, painted_s=20.5))
        said = scrape(f"{dashboard.url}/metrics")
    assert said["atomstream_page_paint_seconds_count"] == 2
    assert said["atomstream_page_paint_seconds_sum"] == 0.75
    assert said["atomstream_page_viewers"] == 0


def test_open_pages_are_counted(hub: Hub) -> None:
    with Dashboard(hub, port=0) as dashboard:
        leave = hub.listen(lambda: None)
        assert scrape(f"{dashboard.url}/metrics")["atomstream_page_viewers"] == 1
        leave()
        assert scrape(f"{dashboard.url}/metrics")["atomstream_page_viewers"] == 0


def test_where_a_password_is_asked_for_prometheus_gives_it(guarded: str) -> None:
    assert scrape(guarded, basic(PASSWORD))["atomstream_page_viewers"] == 0


@pytest.mark.parametrize(
    "authorization",
    ["", basic("another word"), basic(""), f"Bearer {PASSWORD}", "Basic ???", "Basic"],
)
def test_nobody_else_gets_them(guarded: str, authorization: str) -> None:
    with pytest.raises(HTTPError, match="403"):
        scrape(guarded, authorization)


def test_the_password_opens_nothing_but_the_metrics_in_that_way(guarded: str) -> None:
    url = guarded.replace("/metrics", "/assets/page.css")
    with pytest.raises(HTTPError, match="403"):
        scrape(url, basic(PASSWORD))


def test_guessing_here_costs_time_as_it_does_at_the_log_in(guarded: str) -> None:
    for _ in range(3):
        with pytest.raises(HTTPError, match="403"):
            scrape(guarded, basic("a guess"))
    with pytest.raises(HTTPError, match="403"):
        scrape(guarded, basic(PASSWORD))


@pytest.mark.parametrize(
    ("header", "password"),
    [
        (basic("one:two"), "one:two"),
        ("basic " + base64.b64encode(b":p").decode(), "p"),
        ("Basic " + base64.b64encode(b"no colon").decode(), None),
        ("Basic " + base64.b64encode(b"a:\xff").decode(), None),
        ("Digest abc", None),
        ("", None),
    ],
)
def test_a_password_is_read_from_the_header_of_basic_authentication(
    header: str, password: str | None
) -> None:
    assert basic_password(header) == password
