"""A real Prometheus that is given the rules that are deployed, for who cannot wait.

Only times are shortened: how long a fault has to last, over how long it is looked back,
and after how many seconds without an analysis it is called one.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from atomstream.ports import free_address

type Wait = Callable[[Callable[[], bool], float], None]

SILENCE_S = 4
LOOK_BACK = {"10m": "20s", "15m": "20s", "30m": "60s", "2h": "20s"}
"""What there is in place of minutes and hours."""


def free_port() -> int:
    return int(free_address().rpartition(":")[2])


def hurried(rules: str) -> str:
    """The same rules for somebody who cannot wait."""
    shortened, silences = re.subn(
        r"(last_analysis_age_seconds >) \d+", rf"\1 {SILENCE_S}", rules
    )
    assert silences == 1
    for usual, instead in LOOK_BACK.items():
        assert f"[{usual}]" in shortened
        shortened = shortened.replace(f"[{usual}]", f"[{instead}]")
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


@dataclass(frozen=True)
class Watch:
    """What Prometheus says when it is asked."""

    port: int

    def firing(self) -> set[str]:
        """Names of the alerts that stand."""
        return {
            each["labels"]["alertname"]
            for each in self._told("/api/v1/alerts")["alerts"]
            if each["state"] == "firing"
        }

    def value(self, query: str) -> float | None:
        """Of an expression that has one; None if it has none."""
        path = f"/api/v1/query?{urlencode({'query': query})}"
        results = self._told(path)["result"]
        return float(results[0]["value"][1]) if results else None

    def _told(self, path: str) -> dict[str, Any]:
        answer = asked(self.port, path)
        assert answer is not None, "Prometheus does not answer"
        told: dict[str, Any] = json.loads(answer)["data"]
        return told


@contextmanager
def prometheus(program: str, config: Path, wait_for: Wait) -> Iterator[Watch]:
    """Run it."""
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

    try:
        wait_for(lambda: asked(port, "/-/ready") is not None, 60)
        yield Watch(port)
    finally:
        process.terminate()
        process.wait(30)
