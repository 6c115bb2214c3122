"""Writes THIRD-PARTY-NOTICES.md: what atomstream runs with, and under which licences.

Run it as `uv run python deploy/release/notices.py` after `uv.lock` has changed. It puts
what the lock file names into environments that it throws away, and reads there what
each package says of itself; that is some gigabytes, torch and CUDA among them.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FILE = ROOT / "THIRD-PARTY-NOTICES.md"
EXTRAS = ("cpu", "gpu", "cluster", "nion", "report", "train")
TOGETHER = (("cpu", "cluster", "nion", "report", "train"), ("gpu",))
"""Which extras one environment can have."""
LINUX = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.12.0",
    "python_version": "3.12",
    "sys_platform": "linux",
}
"""For what the list is, wherever it is made."""
HEAD = """\
# Third-party notices

atomstream itself is under the Apache License 2.0 ([LICENSE](LICENSE)), its models and the plug-in for Nion Swift too. It contains no code of others. It runs with the packages below, which are installed beside it, in the versions of `uv.lock` on Linux; container images hold them.

Licences are given as each package gives them. Where *text* says yes, the package brings the whole text, in its `.dist-info` folder within the environment. *Extra* names the extras of atomstream that a package comes with; without one it comes with all. The packages of the extra `nion` are Nion Swift's own and GPL: the service and its page need none of them. torch, of the extra `train`, brings NVIDIA's libraries, which are not free software; only training needs them.

Made by `uv run python deploy/release/notices.py` from the lock file; a test holds it to that.

| package | version | licence | text | extra |
|---|---|---|---|---|
"""  # noqa: E501 - paragraphs of Markdown


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which a package is given away."""

    licence: str
    """In its own words."""
    has_text: bool
    """Whether it brings the licence's text."""


def main() -> None:
    """Write the file."""
    terms: dict[str, Terms] = {}
    for extras in TOGETHER:
        with tempfile.TemporaryDirectory() as folder:
            terms |= terms_in(environment(Path(folder), extras))
    FILE.write_text(HEAD + "".join(rows(terms)))


def rows(terms: dict[str, Terms]) -> Iterable[str]:
    """A line for each package that is locked."""
    everywhere = locked()
    of = {extra: locked(extra) for extra in EXTRAS}
    versions = everywhere.copy()
    for more in of.values():
        versions |= more
    for name, version in sorted(versions.items()):
        needing = [extra for extra in EXTRAS if name in of[extra]]
        extra = "" if name in everywhere else ", ".join(needing)
        licence, text = terms[name].licence, "yes" if terms[name].has_text else "no"
        yield f"| {name} | {version} | {licence} | {text} | {extra} |\n"


def locked(*extras: str) -> dict[str, str]:
    """Version of each package that comes with atomstream and these extras."""
    wanted = [f"--extra={extra}" for extra in extras]
    exported = said(
        "uv", "export", "--quiet", "--locked", "--no-default-groups",
        "--no-emit-project", "--no-hashes", "--no-header", "--no-annotate", *wanted,
    )  # fmt: skip
    named = [Requirement(line) for line in exported.splitlines()]
    return {
        canonicalize_name(each.name): next(iter(each.specifier)).version
        for each in named
        if each.marker is None or each.marker.evaluate(LINUX)
    }


def environment(folder: Path, extras: Iterable[str]) -> Path:
    """Python of a new environment with what the lock file names for these extras."""
    said(
        "uv", "sync", "--quiet", "--locked", "--no-default-groups",
        "--no-install-project", *(f"--extra={extra}" for extra in extras),
        UV_PROJECT_ENVIRONMENT=str(folder),
    )  # fmt: skip
    return folder / "bin" / "python"


def terms_in(python: Path) -> dict[str, Terms]:
    """What each package in an environment says of its licence."""
    listed = said(
        sys.executable, "-m", "piplicenses", f"--python={python}", "--format=json",
        "--with-system", "--with-license-file", "--no-license-path",
    )  # fmt: skip
    return {
        canonicalize_name(each["Name"]): Terms(
            each["License"], each["LicenseText"] != "UNKNOWN"
        )
        for each in json.loads(listed)
    }


def said(*command: str, **environment: str) -> str:
    """What a command printed."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout


if __name__ == "__main__":
    main()
