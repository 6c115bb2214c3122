"""The notices name what is locked, and nothing hinders who wants to use it."""

import re
import sys
from pathlib import Path

import pytest

from deploy.release.notices import EXTRAS, FILE, Terms, locked, terms_in
from tests.deploy.conftest import tool

ROW = re.compile(r"^\| (\S+) \| (\S+) \| (.+) \| (yes|no) \| (.*) \|$", re.M)
PERMISSIVE = {
    "3-Clause BSD License", "Apache Software License", "BSD", "BSD License",
    "ISC License (ISCL)", "MIT License", "Python Software Foundation License",
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0", "CC0-1.0",
    "MIT", "MIT-CMU", "PSF-2.0", "Zlib",
}  # fmt: skip
"""By the names that packages use, SPDX's last."""
OF_OTHERS = {"nion", "train"}
"""Extras that no service needs, and that say in the notices what they bring."""


@pytest.fixture(scope="module")
def listed() -> dict[str, tuple[str, ...]]:
    """Version, licence, text and extras of each package in the notices."""
    tool("uv", "PyPI's package of that name")
    return {name: tuple(rest) for name, *rest in ROW.findall(FILE.read_text())}


def test_the_notices_name_all_that_is_locked(
    listed: dict[str, tuple[str, ...]],
) -> None:
    wanted = locked()
    for extra in EXTRAS:
        wanted |= locked(extra)
    again = "uv run python deploy/release/notices.py makes them anew"
    assert {name: row[0] for name, row in listed.items()} == wanted, again


def test_a_licence_is_what_the_package_says(
    listed: dict[str, tuple[str, ...]],
) -> None:
    here = terms_in(Path(sys.executable))
    known = listed.keys() & here.keys()
    assert {"bokeh", "numpy", "onnxruntime", "pyzmq"} <= known
    said = {name: Terms(listed[name][1], listed[name][2] == "yes") for name in known}
    assert said == {name: here[name] for name in known}


def test_a_service_needs_nothing_that_asks_for_more_than_to_be_named(
    listed: dict[str, tuple[str, ...]],
) -> None:
    for name, (_, licence, _, extras) in listed.items():
        if not set(extras.split(", ")) <= OF_OTHERS:
            parts = re.split(r" (?:AND|OR) ", licence)
            assert set(parts) <= PERMISSIVE, f"{name}: {licence}"
