"""ONNX Runtime does its work, and tells nobody."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

OPEN = """
from inference.catalogue import find_model
from inference.device import Device
from inference.session import open_session

file = find_model("graphene-si") / "dcnn.onnx"
open_session(file.read_bytes(), file, 1, Device.CPU)
"""
BARE = "import onnxruntime"
NO_FOLDER = "/dev/null"


def said_by(program: str, changes: Mapping[str, str | None]) -> str:
    """What a process says, in an environment with some changes."""
    environment = {**os.environ, **changes}
    told = {name: value for name, value in environment.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, timeout=60, env=told, check=True,
    )  # fmt: skip
    return done.stdout + done.stderr


AS_IT_COMES: dict[str, str | None] = {
    "ORT_DISABLE_TELEMETRY": None,
    # By these it would believe that it is tested, and be quiet by itself.
    "CI": None,
    "GITHUB_ACTIONS": None,
    "XDG_CACHE_HOME": None,
}


@pytest.mark.parametrize("home", [NO_FOLDER, "/proc", None])
def test_a_network_is_opened_without_a_word_where_there_is_no_home(
    home: str | None,
) -> None:
    assert said_by(OPEN, AS_IT_COMES | {"HOME": home}) == ""


def test_nothing_is_left_in_the_home_folder(tmp_path: Path) -> None:
    said_by(OPEN, AS_IT_COMES | {"HOME": str(tmp_path)})
    assert list(tmp_path.rglob("*")) == []


def test_who_wants_its_telemetry_may_have_it(tmp_path: Path) -> None:
    wanted = AS_IT_COMES | {"HOME": str(tmp_path)}
    said_by(BARE, wanted)
    alone = bool(list(tmp_path.rglob("deviceid")))
    if not alone:
        pytest.skip("this ONNX Runtime has no telemetry")
    (tmp_path / "here").mkdir()
    here = {"HOME": str(tmp_path / "here"), "ORT_DISABLE_TELEMETRY": "0"}
    said_by(OPEN, wanted | here)
    assert list((tmp_path / "here").rglob("deviceid"))
