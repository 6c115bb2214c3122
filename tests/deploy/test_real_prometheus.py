"""A real Prometheus watches a real service, of which one thing after another fails.

The rules are those that are deployed. Only their times are shortened: how long a fault
has to last, and after how many seconds without an analysis it is called one.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from atomstream.ports import free_address
from tests.deploy.conftest import tool

type Spawn = Callable[..., subprocess.Popen[str]]
type Wait = Callable[[Callable[[], bool], float], None]

SILENCE_S = 4


def free_port() -> int:
    return int(free_address().rpartition(":")[2])


def hurried(rules: str) -> str:
    """The same rules for somebody who cannot wait."""
    shortened, silences = re.subn(
        r"(last_analysis_age_seconds >) \d+", rf"\1 {SILENCE_S}", rules
    )
    assert silences == 1
    return re.sub(r"^( +for:) \w+$", r"\1 1s", shortened, flags=re.M)


def configured(deploy: Path, folder: Path, service: int, page: int) -> Path:
    """What is deployed, at other ports, evaluated each half second."""
    (folder / "rules.yml").write_text(
        hurried((deploy / "prometheus" / "rules.yml").read_text())
    )
    text = (deploy / "prometheus" / "prometheus.yml").read_text()
    config: dict[str, Any] = yaml.safe_load(text)
    config["global"] = dict.fromkeys(
        ("scrape_interval", "evaluation_interval"), "500ms"
    )
    for job, port in zip(config["scrape_configs"], (service, page), strict=True):
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    return file


def asked(port: int, path: str) -> str | None:
    """What Prometheus answers, None while it does not."""
    line = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("GET", path)
        answer = line.getresponse()
        return answer.read().decode() if answer.status == 200 else None
    except OSError:
        return None
    finally:
        line.close()


@contextmanager
def prometheus(
    program: str, config: Path, wait_for: Wait
) -> Iterator[Callable[[], set[str]]]:
    """Run it; what is given tells which alerts fire now."""
    port = free_port()
    with (config.parent / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.tsdb.path={config.parent / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    def firing() -> set[str]:
        answer = asked(port, "/api/v1/alerts")
        assert answer is not None, "Prometheus does not answer"
        return {
            each["labels"]["alertname"]
            for each in json.loads(answer)["data"]["alerts"]
            if each["state"] == "firing"
        }

    try:
        wait_for(lambda: asked(port, "/-/ready") is not None, 60)
        yield firing
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_prometheus_sees_faults_come_and_go(
    deploy: Path, tmp_path: Path, spawn: Spawn, wait_for: Wait
) -> None:
    program = tool("prometheus", "Debian's package of that name")
    source, analyses = free_address(), free_address()
    service_port, page_port = free_port(), free_port()
    rules = tmp_path / "alerts.toml"
    rules.write_text(f"no_frame_for_s = {SILENCE_S}\n")
    stack = tmp_path / "noise.npy"
    np.save(stack, np.random.default_rng(1).random((30, 64, 64), np.float32))

    def serve() -> subprocess.Popen[str]:
        return spawn(
            "serve", "--connect", source, "--record", tmp_path / "session",
            "--publish", analyses, "--metrics", str(service_port), "--threads", "1",
            "--no-refine", "--dashboard", f"127.0.0.1:{page_port}", "--alerts", rules,
        )  # fmt: skip

    def replay() -> subprocess.Popen[str]:
        return spawn(
            "replay", stack, "--bind", source, "--period", "0.5", "--loop",
            "--pixel-size", "0.02",
        )  # fmt: skip

    def kill(process: subprocess.Popen[str]) -> None:
        process.kill()
        process.wait(30)

    config = configured(deploy, tmp_path, service_port, page_port)
    nobody = {"AtomstreamUnreachable", "AtomstreamPageUnreachable"}
    silence = {"AtomstreamNothingComes", "AtomstreamPageAlerts"}
    with prometheus(program, config, wait_for) as firing:
        wait_for(lambda: nobody <= firing(), 60)  # nothing runs yet
        service, microscope = serve(), replay()
        wait_for(lambda: not firing(), 120)

        kill(microscope)
        wait_for(lambda: silence <= firing(), 60)
        assert not nobody & firing()
        replay()
        wait_for(lambda: not firing(), 60)

        kill(service)
        wait_for(lambda: nobody <= firing(), 60)
        serve()
        wait_for(lambda: not firing(), 120)
