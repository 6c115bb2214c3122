"""The project is what is imported, and its README says what CI runs."""

import importlib.util
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["streamer", "inference", "dashboard", "atomstream"])
def test_a_package_of_this_project_is_not_shadowed_by_another(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parents[1]
    assert folder == ROOT, f"{name} comes from {folder}: uninstall what put it there"


def test_ci_runs_the_readmes_test_command() -> None:
    command = "pip install uv && uv run pytest"
    assert f"```sh\n{command}\n```" in (ROOT / "README.md").read_text()
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_default_install_has_neither_torch_nor_cuda() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"]
    for group in project["tool"]["uv"]["default-groups"]:
        wanted += project["dependency-groups"][group]
    assert not [name for name in wanted if "torch" in name or "gpu" in name]
