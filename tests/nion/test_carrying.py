"""What the plug-in carries of atomstream is all that it needs, on Python 3.11 too."""

import ast
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

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


def test_compiles_on_python_3_11() -> None:
    python = shutil.which("python3.11") or "/usr/bin/python3.11"
    if not Path(python).exists():
        pytest.skip("no Python 3.11 here")
    program = "import sys; [compile(open(f).read(), f, 'exec') for f in sys.argv[1:]]"
    done = subprocess.run(
        [python, "-c", program, *map(str, FILES)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_manifest_and_both_projects_have_one_version() -> None:
    manifest = json.loads((PLUG_IN / "manifest.json").read_text())
    projects = [ROOT / "pyproject.toml", ROOT / "deploy/nionswift/pyproject.toml"]
    versions = [tomllib.loads(p.read_text())["project"]["version"] for p in projects]
    assert [manifest["version"]] * 2 == versions
