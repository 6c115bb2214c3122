"""Each alert begins with its fault, and ends with it: Prometheus' own unit tests."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = {"job": "atomstream", "instance": "lab:9464"}
PAGE = {"job": "atomstream-page", "instance": "lab:5006"}


@dataclass(frozen=True)
class Case:
    """A fault that begins after a minute or so, and is over later on."""

    alert: str
    series: dict[str, str]
    fires: str
    """When it does, counted from the first sample."""
    quiet: tuple[str, ...]
    """When it does not: before, while it may still pass, afterwards."""
    summary: str
    severity: str = "warning"
    labels: tuple[tuple[str, str], ...] = ()
    of: tuple[tuple[str, str], ...] = tuple(HERE.items())
    interval: str = "10s"


def of(name: str, where: dict[str, str] = HERE, **labels: str) -> str:
    """A time series."""
    pairs = ",".join(f'{key}="{value}"' for key, value in (where | labels).items())
    return f"{name}{{{pairs}}}"


# `a+0xn` is a, n times over after the first; `_xn` is nothing, n times.
CASES = [
    Case(
        "AtomstreamUnreachable",
        {of("up"): "1+0x6 0+0x12 1+0x6"},
        fires="150s", quiet=("60s", "120s", "210s"), severity="critical",
        summary="Nobody answers at lab:9464, so the service is most likely not running",
    ),
    Case(
        "AtomstreamServiceSilent",
        {of("atomstream_service_heard"): "1+0x6 0+0x12 1+0x6"},
        fires="120s", quiet=("60s", "90s", "210s"), severity="critical",
        summary="The service behind lab:9464 has fallen silent",
    ),
    Case(
        "AtomstreamNotRecording",
        {of("atomstream_recording"): "1+0x6 0+0x12 1+0x6"},
        fires="90s", quiet=("60s", "80s", "210s"), severity="critical",
        summary="lab:9464 is NOT RECORDING: frames wait in memory, and will be lost "
        "when that is full",
    ),
    Case(
        "AtomstreamDiskLow",
        {of("atomstream_session_disk_free_bytes"): "10e9+0x6 9e9+0x12 11e9+0x6"},
        fires="150s", quiet=("60s", "120s", "210s"), severity="critical",
        summary="8.382GiB are left on the session's disk of lab:9464",
    ),
    Case(
        "AtomstreamDiskFillsWithinADay",
        {of("atomstream_session_disk_free_bytes"): "60e9-50e6x240 48e9+0x240"},
        interval="1m", fires="3h", quiet=("10m", "7h"),
        summary="At the pace of the last two hours the session's disk of lab:9464 is "
        "full within a day",
    ),
    Case(
        "AtomstreamFramesMissing",
        {
            of("atomstream_frames_missing_total", cause="not-kept"): "0+0x6 3+0x120",
            of("atomstream_frames_missing_total", cause="no-answer"): "7+0x126",
        },
        fires="90s", quiet=("60s", "1000s"), severity="critical",
        labels=(("cause", "not-kept"),),
        summary="Frames of lab:9464 will never be analysed (not-kept)",
    ),
    Case(
        "AtomstreamFramesSetAside",
        {of("atomstream_frames_set_aside"): "0+0x6 2+0x12 0+0x6"},
        fires="80s", quiet=("60s", "210s"),
        summary="The analysis has died of 2 frames of lab:9464, and left them aside",
    ),
    Case(
        "AtomstreamNothingComes",
        {
            of("atomstream_last_analysis_age_seconds"): "0+10x20 0+10x6",
            of("atomstream_streams_open"): "1+0x30",
        },
        fires="150s", quiet=("60s", "120s", "220s"),
        summary="Nothing was analysed for 2m 30s at lab:9464, although a scan goes on",
    ),
    Case(
        "AtomstreamBacklog",
        {of("atomstream_frames_waiting"): "10+0x6 40+0x20 0+0x6"},
        fires="200s", quiet=("60s", "180s", "290s"),
        summary="40 frames of lab:9464 wait to be analysed",
    ),
    Case(
        "AtomstreamFrameWaitsLong",
        {
            of("atomstream_queue_age_seconds", queue="analysis"): "0+10x50 0+0x6",
            of("atomstream_queue_age_seconds", queue="recording"): "400+0x56",
        },
        fires="400s", quiet=("60s", "300s", "350s", "520s"),
        labels=(("queue", "analysis"),),
        summary="A frame of lab:9464 has waited 6m 40s for its analysis",
    ),
    Case(
        "AtomstreamLinkSlow",
        {of("atomstream_link_latency_seconds"): "0.1+0x6 -90+0x40 0.1+0x6"},
        fires="400s", quiet=("60s", "350s", "490s"),
        summary="Frames take 1m 30s to lab:9464, or the two clocks differ by that",
    ),
    Case(
        "AtomstreamFramesLate",
        {of("atomstream_frames_late_total"): "0+0x5 1 2 3 4 5+0x80"},
        fires="110s", quiet=("60s", "800s"),
        summary="Frames of lab:9464 take longer than the microscope needs for one",
    ),
    Case(
        "AtomstreamAnalysisFails",
        {of("atomstream_flags_total", flag="failed"): "0+0x5 1 2 3 4 5+0x80"},
        fires="110s", quiet=("60s", "800s"), labels=(("flag", "failed"),),
        summary="The analysis of frames of lab:9464 fails",
    ),
    Case(
        "AtomstreamFellBackToCpu",
        {
            of("atomstream_provider_info", provider="CUDAExecutionProvider"):
                "1+0x6 stale _x11 1+0x10",
            of("atomstream_provider_info", provider="CPUExecutionProvider"):
                "_x7 1+0x10 stale",
        },
        fires="150s", quiet=("60s", "120s", "210s"),
        labels=(("provider", "CPUExecutionProvider"),),
        summary="lab:9464 analyses on the CPU, and did so on the GPU within the last "
        "day",
    ),
    Case(
        "AtomstreamRestarts",
        {of("atomstream_start_time_seconds"): "100+0x5 200+0x5 300+0x5 400+0x200"},
        fires="190s", quiet=("130s", "2000s"),
        summary="lab:9464 was started anew 3 times within half an hour",
    ),
    Case(
        "AtomstreamProcessRestarts",
        {
            of("atomstream_process_restarts_total", process="analyse"):
                "0+0x5 1 2 3 4+0x250",
            of("atomstream_process_restarts_total", process="receive"): "0+0x259",
        },
        fires="120s", quiet=("60s", "2200s"), labels=(("process", "analyse"),),
        summary="The process analyse of lab:9464 dies again and again",
    ),
    Case(
        "AtomstreamPageUnreachable",
        {of("up", PAGE): "1+0x6 0+0x20 1+0x6"},
        fires="200s", quiet=("60s", "180s", "290s"), of=tuple(PAGE.items()),
        summary="The page at lab:5006 does not answer; recording and analysis go on "
        "without it",
    ),
    Case(
        "AtomstreamPageAlerts",
        {
            of("atomstream_alerts_standing", PAGE, rule="no_frame_for_s"):
                "0+0x6 1+0x12 0+0x6",
            of("atomstream_alerts_standing", PAGE, rule="stopped"): "0+0x30",
        },
        fires="150s", quiet=("60s", "120s", "210s"), of=tuple(PAGE.items()),
        labels=(("rule", "no_frame_for_s"),),
        summary="The page at lab:5006 alerts: no_frame_for_s",
    ),
]  # fmt: skip

HEALTHY = {
    of("up"): "1+0x800",
    of("up", PAGE): "1+0x800",
    of("atomstream_service_heard"): "1+0x800",
    of("atomstream_recording"): "1+0x800",
    of("atomstream_session_disk_free_bytes"): "900e9-1e6x800",
    of("atomstream_frames_missing_total", cause="no-answer"): "2+0x800",
    of("atomstream_frames_set_aside"): "0+0x800",
    # The scan ended: nothing comes, and nothing should.
    of("atomstream_last_analysis_age_seconds"): "0+10x800",
    of("atomstream_streams_open"): "0+0x800",
    of("atomstream_frames_waiting"): "3+0x800",
    # Three processes that each died once.
    of("atomstream_process_restarts_total", process="analyse"): "0+0x180 1+0x618",
    of("atomstream_process_restarts_total", process="receive"): "0+0x200 1+0x598",
    of("atomstream_process_restarts_total", process="metrics"): "0+0x220 1+0x578",
    of("atomstream_queue_age_seconds", queue="analysis"): "40+0x800",
    of("atomstream_link_latency_seconds"): "0.2+0x800",
    # One late frame in half an hour, one analysis that failed.
    of("atomstream_frames_late_total"): "0+0x180 1+0x180 2+0x438",
    of("atomstream_flags_total", flag="failed"): "0+0x180 1+0x618",
    # Never had a GPU.
    of("atomstream_provider_info", provider="CPUExecutionProvider"): "1+0x800",
    # Restarted once, by the operator.
    of("atomstream_start_time_seconds"): "100+0x400 200+0x400",
    of("atomstream_alerts_standing", PAGE, rule="stopped"): "0+0x800",
}


@pytest.fixture(scope="session")
def rules(deploy: Path) -> dict[str, dict[str, Any]]:
    """The rules, by the name of their alert."""
    (group,) = yaml.safe_load((deploy / "prometheus" / "rules.yml").read_text())[
        "groups"
    ]
    return {rule["alert"]: rule for rule in group["rules"]}


def outcome_of(promtool: str, folder: Path, deploy: Path, test: object) -> str:
    """What promtool says of a unit test; nothing if it passes."""
    file = folder / "rules.test.yml"
    whole = {
        "rule_files": [str(deploy / "prometheus" / "rules.yml")],
        "evaluation_interval": "10s",
        "tests": [test],
    }
    file.write_text(json.dumps(whole))
    done = subprocess.run(
        [promtool, "test", "rules", str(file)], capture_output=True, text=True
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def inputs_of(series: dict[str, str]) -> list[dict[str, str]]:
    return [{"series": name, "values": values} for name, values in series.items()]


@pytest.mark.parametrize("case", CASES, ids=lambda each: each.alert)
def test_an_alert_begins_and_ends_with_its_fault(
    promtool: str, tmp_path: Path, deploy: Path, rules: dict[str, Any], case: Case
) -> None:
    annotations = rules[case.alert]["annotations"]
    alert = {
        "exp_labels": {
            "severity": case.severity, **dict(case.of), **dict(case.labels)
        },
        "exp_annotations": annotations | {"summary": case.summary},
    }  # fmt: skip
    expected = [(case.fires, [alert]), *((when, []) for when in case.quiet)]
    test = {
        "interval": case.interval,
        "input_series": inputs_of(case.series),
        "alert_rule_test": [
            {"eval_time": when, "alertname": case.alert, "exp_alerts": alerts}
            for when, alerts in expected
        ],
    }
    assert outcome_of(promtool, tmp_path, deploy, test) == ""


def test_every_alert_has_such_a_test(rules: dict[str, Any]) -> None:
    assert {case.alert for case in CASES} == set(rules)


def test_a_healthy_service_alerts_of_nothing(
    promtool: str, tmp_path: Path, deploy: Path
) -> None:
    test = {
        "interval": "10s",
        "input_series": inputs_of(HEALTHY),
        "promql_expr_test": [
            {"expr": "ALERTS", "eval_time": when, "exp_samples": []}
            for when in ("1m", "10m", "30m", "35m", "1h", "70m", "2h")
        ],
    }
    assert outcome_of(promtool, tmp_path, deploy, test) == ""


def test_an_alert_says_what_to_do(rules: dict[str, Any], operating: str) -> None:
    headings = re.findall(r"^#+ (.+)$", operating, re.M)
    for name, rule in rules.items():
        words = rule["annotations"]
        assert set(words) == {"summary", "action", "runbook"}
        page, anchor = words["runbook"].split("#")
        assert (page, anchor) == ("docs/operating.md", name.lower())
        assert name in headings, f"docs/operating.md says nothing of {name}"
        for command in re.findall(r"`(atomstream [a-z ]+)`", words["action"]):
            assert command in operating, f"{name}: {command} is not in the page"


def test_the_configuration_is_one(promtool: str, deploy: Path) -> None:
    config = deploy / "prometheus" / "prometheus.yml"
    done = subprocess.run(
        [promtool, "check", "config", str(config)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
