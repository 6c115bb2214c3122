"""What the plug-in carries of atomstream is all that it needs, on Python 3.11 too."""

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from atomstream.nion.bundling import bundle
from atomstream_bridge.carrying import FIRST, carried, needed

ROOT = Path(__file__).parents[2]
PLUG_IN = ROOT / "deploy" / "nionswift" / "atomstream_bridge"
ALLOWED = {"msgpack", "numpy", "streamer", "xxhash", "zmq"}
OLDEST = (3, 11)

PROGRAMS = Path(__file__).parent / "programs"
STACKS = [
    ("3.11", {"nionswift": "16.10.*", "nionswift-instrumentation": "22.0.*"}),
    ("3.11", {"nionswift": "16.16.*", "nionswift-instrumentation": "23.6.*"}),
    ("3.12", {"nionswift": "16.18.*", "nionswift-instrumentation": "23.8.*"}),
]
"""The oldest of Nion's packages, and the newest for each Python."""

FILES = sorted({*carried(ROOT / "streamer"), *PLUG_IN.glob("*.py")})


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", FILES, ids=named)
def test_is_written_in_the_oldest_language_that_nion_swift_runs_on(file: Path) -> None:
    ast.parse(file.read_text(), feature_version=OLDEST)


@pytest.mark.parametrize("file", FILES, ids=named)
def test_imports_nothing_that_nion_swifts_python_lacks(file: Path) -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(file.read_text()))
        for name in names(node)
    }
    outside = imported - sys.stdlib_module_names
    lazily = {"nion"} if file.name == "watching.py" else set()
    assert outside <= ALLOWED | lazily


def names(node: ast.AST) -> list[str]:
    """Modules that a statement imports, but for relative ones."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module or ""]
    return []


def test_the_first_modules_are_those_that_the_plug_in_imports() -> None:
    wanted = {
        name
        for file in PLUG_IN.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in names(node)
        if name.startswith("streamer.")
    }
    assert wanted <= needed(ROOT)
    assert set(FIRST) <= wanted


def test_ruff_holds_them_to_the_oldest_language() -> None:
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    held = {
        file
        for pattern in ruff["per-file-target-version"]
        for option in expanded(pattern)
        for file in ROOT.glob(option)
    }
    assert set(carried(ROOT / "streamer")) <= held


def expanded(pattern: str) -> list[str]:
    """`a/{b,c}.py` as `a/b.py` and `a/c.py`."""
    before, brace, rest = pattern.partition("{")
    if not brace:
        return [pattern]
    inside, _, after = rest.partition("}")
    return [before + choice + after for choice in inside.split(",")]


def python_with(python: str, *packages: str) -> list[str]:
    """A command that runs a Python with these packages, and without this project.

    They are fetched when they are not there; what is not to be had skips the test.
    """
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("no uv here, to get another Python and its packages with")
    # -P: the folder of this project is not looked in.
    wanted = [f"--with={package}" for package in packages]
    command = [uv, "run", "--no-project", f"--python={python}", *wanted, "python", "-P"]
    if subprocess.run([*command, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"no Python {python} here, or no network to get its packages")
    return command


def ran(command: list[str], program: str, plug_ins: Path) -> dict[str, Any]:
    """What a program printed, as JSON, that found the bundled plug-in."""
    done = subprocess.run(
        [*command, PROGRAMS / program],
        env={**os.environ, "PYTHONPATH": str(plug_ins)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


@pytest.mark.slow
@pytest.mark.timeout(600)  # packages may have to be fetched first
@pytest.mark.parametrize(("python", "packages"), STACKS)
def test_sends_what_each_nion_swift_scans(
    tmp_path: Path, python: str, packages: dict[str, str]
) -> None:
    """With Nion's packages and those that the plug-in asks for; without atomstream."""
    pytest.importorskip("nion.usim_device", reason="needs the extra [nion]")
    named = [f"{package}=={version}" for package, version in packages.items()]
    named.append("nionswift-usim")
    bundle(tmp_path)
    seen = ran(
        python_with(python, "msgpack", "pyzmq", *named), "scan_once.py", tmp_path
    )
    assert seen["python"] == [int(part) for part in python.split(".")]
    for package, version in packages.items():
        assert seen["packages"][package].startswith(version.rstrip("*"))
    assert seen["streamer"].startswith(str(tmp_path))
    assert [frame["seq"] for frame in seen["frames"]] == [0, 1]
    for frame in seen["frames"]:
        assert frame["topic"] == "frame/uSim Scan/HAADF"
        assert frame["pixel_size_nm"] == 0.5
        assert frame["pixels"] == list(range(64))


def resolved(python: str, requirements: list[str]) -> str | None:
    """What keeps these from being installed together; None: nothing does."""
    uv = shutil.which("uv") or pytest.skip("no uv here, to look for packages with")
    done = subprocess.run(
        [uv, "pip", "compile", "-q", f"--python-version={python}", "-"],
        input="\n".join(requirements),
        capture_output=True,
        text=True,
    )
    return done.stderr if done.returncode else None


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("python", "packages"), STACKS)
def test_what_it_depends_on_can_be_had_beside_each_nion_swift(
    python: str, packages: dict[str, str]
) -> None:
    stack = [f"{package}=={version}" for package, version in packages.items()]
    if resolved(python, stack):
        pytest.skip("no network to look for Nion's packages in")
    file = ROOT / "deploy" / "nionswift" / "pyproject.toml"
    ours = tomllib.loads(file.read_text())["project"]["dependencies"]
    assert resolved(python, [*stack, *ours]) is None


@pytest.mark.timeout(300)  # packages may have to be fetched first
def test_shows_on_python_3_11_what_a_service_found(tmp_path: Path) -> None:
    pytest.importorskip("nion.usim_device", reason="needs the extra [nion]")
    bundle(tmp_path)
    shutil.copy(Path(__file__).parent / "drawn_analyses.py", tmp_path)
    named = ("msgpack", "nionswift-instrumentation", "nionswift-usim", "pyzmq")
    seen = ran(python_with("3.11", *named), "show_once.py", tmp_path)
    assert seen["python"] == list(OLDEST)
    assert seen["streamer"].startswith(str(tmp_path))
    assert seen["title"] == "HAADF atoms, frame 7: 58 C, 2 Si"
    assert seen["shape"] == [200, 200, 3]
    assert seen["units"] == ["nm", "nm"]
    assert seen["points"] == 2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_nion_swift_before_22_is_told_what_it_needs(tmp_path: Path) -> None:
    bundle(tmp_path)
    older = "nionswift-instrumentation==0.19.*"
    seen = ran(python_with("3.11", "msgpack", "pyzmq", older), "refused.py", tmp_path)
    assert seen["packages"]["nionswift-instrumentation"].startswith("0.19.")
    _, _, problem = seen["told"]
    assert "nionswift-instrumentation 22.0 or newer is needed" in problem


def test_the_bundles_manifest_says_its_version(tmp_path: Path) -> None:
    manifest = json.loads((bundle(tmp_path) / "manifest.json").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert manifest["version"] == project["version"]
    assert manifest["modules"] == ["zmq", "msgpack"]
