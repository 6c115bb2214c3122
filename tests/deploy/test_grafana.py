"""The dashboard shows what a live service and its page tell, and nothing else."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.parser import text_string_to_metric_families

from atomstream.ports import free_address

type Spawn = Callable[..., subprocess.Popen[str]]
type Wait = Callable[[Callable[[], bool], float], None]
type Labels = dict[str, set[str]]

OF_PROMETHEUS = {"ALERTS": {"alertname", "alertstate"}}
NOT_SHOWN = {"atomstream_page_paint_seconds_created"}
"""Metrics that the dashboard deliberately leaves out: a by-product of the library."""
PARTS = re.compile(r"_(bucket|sum|count)$")


@pytest.fixture
def dashboard(deploy: Path) -> dict[str, Any]:
    model: dict[str, Any] = json.loads(
        (deploy / "grafana" / "dashboards" / "atomstream.json").read_text()
    )
    return model


def told_at(port: int) -> Labels:
    """Names of all samples that are served there, with their labels."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            text = answer.read().decode()
    except URLError:  # not there yet
        return {}
    found: Labels = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.fixture
def live(tmp_path: Path, spawn: Spawn, wait_for: Wait) -> Labels:
    """What a service that has analysed a frame, and its page, tell Prometheus."""
    source = free_address()
    service, page = (int(free_address().rpartition(":")[2]) for _ in range(2))
    stack = tmp_path / "noise.npy"
    np.save(stack, np.random.default_rng(1).random((2, 64, 64), np.float32))
    spawn(
        "serve", "--connect", source, "--record", tmp_path / "session",
        "--publish", free_address(), "--metrics", str(service), "--threads", "1",
        "--no-refine", "--dashboard", f"127.0.0.1:{page}",
    )  # fmt: skip
    wait_for(lambda: bool(told_at(service)) and bool(told_at(page)), 60)
    spawn("replay", stack, "--bind", source, "--period", "0.5", "--pixel-size", "0.02")
    # The one comes with an analysis, the other with the heartbeat after it.
    last = {"atomstream_model_info", "atomstream_link_latency_seconds"}
    wait_for(lambda: told_at(service).keys() >= last, 90)
    everywhere = {"instance", "job"}
    both = told_at(service) | told_at(page)
    return {name: labels | everywhere for name, labels in both.items()}


def targets_of(dashboard: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each expression, with its legend."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"], target["legendFormat"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["expr"], ""
    for variable in dashboard["templating"]["list"]:
        metric, label = re.fullmatch(
            r"label_values\((\w+), (\w+)\)", variable["query"]["query"]
        ).groups()
        yield metric, f"{{{{{label}}}}}"


def metrics_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:atomstream_\w+|ALERTS)\b", expression))


def labels_in(expression: str, legend: str) -> set[str]:
    """Labels that are asked for: selected, grouped by, or written in the legend."""
    selected = re.findall(r'(\w+)\s*=?[=~!]~?"', expression)
    grouped = ",".join(re.findall(r"by \(([^)]+)\)", expression))
    return {
        *selected,
        *re.findall(r"\w+", grouped),
        *re.findall(r"{{(\w+)}}", legend),
    }


def test_dashboard_and_alerts_ask_for_what_there_is(
    deploy: Path, dashboard: dict[str, Any], live: Labels
) -> None:
    rules = yaml.safe_load((deploy / "prometheus" / "rules.yml").read_text())
    for rule in rules["groups"][0]["rules"]:
        assert metrics_in(rule["expr"]) <= set(live), rule["alert"]
    there = live | OF_PROMETHEUS
    asked: set[str] = set()
    for expression, legend in targets_of(dashboard):
        names = metrics_in(expression)
        assert names, f"{expression} asks for no metric"
        assert names <= set(there), f"{expression} asks for what nobody tells"
        labels = set().union(*(there[name] for name in names))
        wrong = labels_in(expression, legend) - labels
        assert not wrong, f"{expression}, {legend}: no metric there has {wrong}"
        asked |= names
    of_dashboard = {PARTS.sub("", name) for name in asked}
    told = {PARTS.sub("", name) for name in live}
    assert told - of_dashboard == NOT_SHOWN


def test_prometheus_understands_every_expression(
    promtool: str, dashboard: dict[str, Any], tmp_path: Path
) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$instance", ".+")}
        for number, (expression, _) in enumerate(targets_of(dashboard))
    ]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(
        [promtool, "check", "rules", str(file)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def lost(ours: object, kept: object, path: str = "") -> Iterator[str]:
    """What of `ours` is not in `kept`, by its path."""
    if isinstance(ours, dict) and isinstance(kept, dict):
        for key, value in ours.items():
            if key in kept:
                yield from lost(value, kept[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(ours, list) and isinstance(kept, list) and len(ours) == len(kept):
        for number, pair in enumerate(zip(ours, kept, strict=True)):
            yield from lost(*pair, f"{path}[{number}]")
    elif ours != kept:
        yield f"{path}: {kept} instead of {ours}"


def test_grafanas_own_model_knows_every_key(dashboard: dict[str, Any]) -> None:
    register_default_plugins()
    model = Dashboard.from_json(dashboard)
    assert not list(lost(dashboard, json.loads(JSONEncoder().encode(model))))


def test_panels_have_their_place_and_name(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    covered: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (place["x"] + column, place["y"] + row)
            for column in range(place["w"])
            for row in range(place["h"])
        }
        assert max(column for column, _ in cells) < 24, panel["title"]
        assert not cells & covered, f"{panel['title']} lies on another panel"
        covered |= cells
        assert panel["type"] == "row" or panel["description"], panel["title"]


def test_provisioning_gives_the_dashboard_its_source(
    deploy: Path, dashboard: dict[str, Any]
) -> None:
    provisioned = deploy / "grafana" / "provisioning"
    sources = yaml.safe_load((provisioned / "datasources/prometheus.yaml").read_text())
    uids = {source["uid"] for source in sources["datasources"]}
    assert {
        panel["datasource"]["uid"]
        for panel in dashboard["panels"]
        if panel["type"] != "row"
    } == uids
    (provider,) = yaml.safe_load(
        (provisioned / "dashboards/atomstream.yaml").read_text()
    )["providers"]
    compose = yaml.safe_load((deploy / "compose.yaml").read_text())
    mounted = {
        volume.split(":")[1]: volume.split(":")[0]
        for volume in compose["services"]["grafana"]["volumes"]
    }
    folder = deploy / mounted[provider["options"]["path"]]
    assert (folder / "atomstream.json").is_file()
    assert deploy / mounted["/etc/grafana/provisioning"] == provisioned
