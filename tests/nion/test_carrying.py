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
from nionswift_plugin.atomstream_bridge.carrying import FIRST, carried, needed

ROOT = Path(__file__).parents[2]
PLUG_IN = ROOT / "deploy" / "nionswift" / "nionswift_plugin" / "atomstream_bridge"
ALLOWED = {"msgpack", "numpy", "streamer", "xxhash", "zmq"}
OLDEST = (3, 11)

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


@pytest.mark.timeout(300)  # packages may have to be fetched first
def test_sends_on_python_3_11_what_its_nion_swift_scans(tmp_path: Path) -> None:
    """With Nion's packages and those that the plug-in asks for; without atomstream."""
    seen = on_oldest_python("scan_once.py", tmp_path)
    assert [frame["seq"] for frame in seen["frames"]] == [0, 1]
    for frame in seen["frames"]:
        assert frame["topic"] == "frame/uSim Scan/HAADF"
        assert frame["pixel_size_nm"] == 0.5
        assert frame["pixels"] == list(range(64))


@pytest.mark.timeout(300)  # packages may have to be fetched first
def test_shows_on_python_3_11_what_a_service_found(tmp_path: Path) -> None:
    seen = on_oldest_python("show_once.py", tmp_path)
    assert seen["title"] == "HAADF atoms, frame 7: 58 C, 2 Si"
    assert seen["shape"] == [200, 200, 3]
    assert seen["units"] == ["nm", "nm"]
    assert seen["points"] == 2


def on_oldest_python(program: str, folder: Path) -> Any:
    """What a program prints that has the bundle and Nion's packages, not atomstream."""
    pytest.importorskip("nion.usim_device", reason="needs the extra [nion]")
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("no uv here, to get Python 3.11 and its packages with")
    bundle(folder)
    packages = ("msgpack", "nionswift-instrumentation", "nionswift-usim", "pyzmq")
    # -P: the folder of this project is not looked in.
    wanted = [f"--with={package}" for package in packages]
    python = [uv, "run", "--no-project", "--python=3.11", *wanted, "python", "-P"]
    if subprocess.run([*python, "-c", ""], capture_output=True).returncode:
        pytest.skip("no Python 3.11 here, or no network to get its packages")
    shutil.copy(Path(__file__).parent / "drawn_analyses.py", folder)
    done = subprocess.run(
        [*python, Path(__file__).parent / "programs" / program],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["python"] == list(OLDEST)
    assert seen["streamer"].startswith(str(folder))
    return seen


def test_the_manifest_and_both_projects_have_one_version() -> None:
    manifest = json.loads((PLUG_IN / "manifest.json").read_text())
    projects = [ROOT / "pyproject.toml", ROOT / "deploy/nionswift/pyproject.toml"]
    versions = [tomllib.loads(p.read_text())["project"]["version"] for p in projects]
    assert [manifest["version"]] * 2 == versions
