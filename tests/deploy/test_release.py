"""What is released works without the checkout it was made from, and is all there."""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from atomstream.ports import free_address
from streamer.session.reader import SessionReader
from tests.deploy.conftest import ROOT, tool

type Wait = Callable[[Callable[[], bool], float], None]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

WHEELS = {"atomstream": ROOT, "atomstream_nionswift": ROOT / "deploy" / "nionswift"}
PACKAGES = ("streamer", "inference", "dashboard", "atomstream")
BRIDGE = ROOT / "deploy" / "nionswift" / "atomstream_bridge"
MODELS = {"graphene-si", "graphene-si-paper"}
FRAMES = 3
PATIENCE_S = 120.0


def environment() -> dict[str, str]:
    """Ours without what would lead to this checkout, or to its environment."""
    led = ("PYTHON", "VIRTUAL_ENV", "UV_PROJECT", "ATOMSTREAM")
    return {
        name: value for name, value in os.environ.items() if not name.startswith(led)
    }


def ran(*command: str | Path, cwd: Path) -> str:
    """What a command printed that went well."""
    done = subprocess.run(
        command, cwd=cwd, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all files of a release, built from this checkout."""
    tool("uv", "PyPI's package of that name")
    out = tmp_path_factory.mktemp("release") / "dist"
    ran(ROOT / "deploy" / "release" / "build.sh", out, cwd=out.parent)
    return out


def wheel(folder: Path, name: str) -> Path:
    (found,) = folder.glob(f"{name}-*.whl")
    return found


@dataclass(frozen=True)
class Installed:
    """An environment of its own, and a folder far from the checkout to work in."""

    folder: Path
    work: Path

    def run(self, program: str, *arguments: str | Path) -> str:
        return ran(self.folder / "bin" / program, *arguments, cwd=self.work)


@pytest.fixture(scope="module")
def new_environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Make empty ones, with the Python that runs the tests."""

    def make() -> Path:
        folder = tmp_path_factory.mktemp("environment")
        ran("uv", "venv", "--quiet", "--python", sys.executable, folder, cwd=folder)
        return folder

    return make


@pytest.fixture(scope="module")
def installed(
    release: Path,
    new_environment: Callable[[], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Installed:
    """The wheel with the extra cpu, as docs/operating.md says."""
    there = Installed(new_environment(), tmp_path_factory.mktemp("elsewhere"))
    install = ("uv", "pip", "install", "--quiet", "--python", there.folder)
    pins = release / "requirements-cpu.txt"
    ran(*install, "--require-hashes", "-r", pins, cwd=there.work)
    ran(*install, "--no-deps", wheel(release, "atomstream"), cwd=there.work)
    return there


def test_what_is_installed_is_whole_and_none_of_the_checkout(
    installed: Installed,
) -> None:
    ran("uv", "pip", "check", "--python", installed.folder, cwd=installed.work)
    names = ", ".join((*PACKAGES, "atomstream_bridge"))
    found = f"import {names}, sys; print(*sys.path, *map(str, ({names})), sep='\\n')"
    assert str(ROOT) not in installed.run("python", "-c", found)


def test_the_wheel_says_its_version(installed: Installed, release: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = project["version"]
    assert installed.run("atomstream", "--version") == f"atomstream {version}\n"
    for name in WHEELS:
        assert wheel(release, name).name.startswith(f"{name}-{version}-")


@pytest.fixture(scope="module")
def session(installed: Installed) -> Path:
    """What the wheel's demo has recorded."""
    installed.run(
        "atomstream", "demo", "--frames", str(FRAMES), "--speed", "1000",
        "--no-dashboard", "--record", "demo",
    )  # fmt: skip
    return installed.work / "demo"


def test_the_wheel_runs_the_demo(installed: Installed, session: Path) -> None:
    assert "demo: whole" in installed.run("atomstream", "sessions", "verify", "demo")
    with SessionReader(session) as reader:
        assert reader.totals().analyses == FRAMES
        assert reader.atoms(reader.streams()[0].stream.id, 0).x_nm.size > 100


def test_the_wheel_has_models_and_the_plug_in(installed: Installed) -> None:
    listed = installed.run("atomstream", "models", "list")
    assert all(f" {name} " in listed for name in MODELS)
    installed.run("atomstream", "nion", "bundle", "nion.zip")
    with zipfile.ZipFile(installed.work / "nion.zip") as bundle:
        names = set(bundle.namelist())
    assert {"manifest.json", "bridge.py"} <= {Path(name).name for name in names}
    assert "atomstream_bridge/_carried/streamer/publisher.py" in names


@pytest.fixture
def page(installed: Installed, session: Path, tmp_path: Path) -> Iterator[str]:
    """Address of the page that the wheel shows a session on."""
    address = free_address().removeprefix("tcp://")
    program = installed.folder / "bin" / "atomstream"
    with (tmp_path / "page.log").open("w") as log:
        process = subprocess.Popen(
            [program, "dashboard", session, "--address", address],
            cwd=installed.work, env=environment(), stdout=log, stderr=log,
        )  # fmt: skip
    yield f"http://{address}"
    process.terminate()
    process.wait(30)


def got(url: str) -> str | None:
    """What is at an address, None while nothing is."""
    try:
        with urlopen(url, timeout=20) as answer:
            text: str = answer.read().decode()
            return text
    except URLError:
        return None


def test_the_wheel_shows_the_page_with_all_that_belongs_to_it(
    page: str, wait_for: Wait
) -> None:
    wait_for(lambda: got(page) is not None, PATIENCE_S)
    html = got(page)
    assert html is not None
    named = re.findall(r'(?:src|href)="([^"]+\.(?:js|mjs|css|svg)[^"]*)"', html)
    assert named
    for address in named:
        assert got(address if "://" in address else f"{page}/{address.lstrip('/')}")


def files(folder: Path) -> set[Path]:
    """What a package has in the checkout, by its place in a wheel."""
    return {
        file.relative_to(folder.parent)
        for file in folder.rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }


def inside(archive: Path) -> set[Path]:
    """What a wheel installs, but for what it says of itself."""
    with zipfile.ZipFile(archive) as opened:
        names = [Path(name) for name in opened.namelist()]
    return {name for name in names if not name.parts[0].endswith(".dist-info")}


def test_the_wheel_has_every_file_of_its_packages_and_no_other(release: Path) -> None:
    folders = [*(ROOT / name for name in PACKAGES), BRIDGE]
    expected = set().union(*map(files, folders))
    assert inside(wheel(release, "atomstream")) == expected


def test_no_file_is_in_both_wheels(release: Path) -> None:
    """Whoever removes one would break the other."""
    one, other = (inside(wheel(release, name)) for name in WHEELS)
    assert one & other == set()


@pytest.mark.parametrize("name", WHEELS)
def test_a_source_distribution_makes_the_wheel_that_the_checkout_makes(
    release: Path, tmp_path: Path, name: str
) -> None:
    """Those of a release are made of its source distributions."""
    ran("uv", "build", "--quiet", "--wheel", "--out-dir", tmp_path, WHEELS[name],
        cwd=tmp_path)  # fmt: skip
    assert wheel(tmp_path, name).read_bytes() == wheel(release, name).read_bytes()


def test_the_plug_ins_wheel_is_found_where_nion_swift_looks(
    release: Path, new_environment: Callable[[], Path], tmp_path: Path
) -> None:
    there = Installed(new_environment(), tmp_path)
    ran("uv", "pip", "install", "--quiet", "--python", there.folder,
        "--constraints", release / "requirements-cpu.txt",
        wheel(release, "atomstream_nionswift"), cwd=tmp_path)  # fmt: skip
    found = (
        "import json, pkgutil, nionswift_plugin, nionswift_plugin.atomstream_bridge, "
        "streamer; print(json.dumps([[each.name for each in "
        "pkgutil.iter_modules(nionswift_plugin.__path__)], streamer.__file__]))"
    )
    names, streamer = json.loads(there.run("python", "-c", found))
    assert names == ["atomstream_bridge"]
    assert Path(streamer).is_relative_to(there.folder)
    assert "_carried" in Path(streamer).parts
    plug_in = Path(streamer).parents[2]
    manifest = json.loads((plug_in / "manifest.json").read_text())
    assert f"-{manifest['version']}-" in wheel(release, "atomstream_nionswift").name


@pytest.mark.parametrize("extra", ["cpu", "gpu"])
def test_the_bill_of_materials_names_what_is_locked(release: Path, extra: str) -> None:
    text = (release / f"sbom-{extra}.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None
    bill = json.loads(text)
    named = {each["name"]: each["version"] for each in bill["components"]}
    pins = (release / f"requirements-{extra}.txt").read_text()
    locked = {
        canonicalize_name(each.name): next(iter(each.specifier)).version
        for each in map(Requirement, re.findall(r"^[^\s#].*?(?= \\$)", pins, re.M))
    }
    assert named == locked
    assert ("onnxruntime" in locked, "onnxruntime-gpu" in locked) == (
        extra == "cpu", extra == "gpu",
    )  # fmt: skip
    component = bill["metadata"]["component"]
    assert (component["name"], component["version"]) == (
        "atomstream",
        wheel(release, "atomstream").name.split("-")[1],
    )


def test_what_the_sums_say_is_what_there_is(release: Path) -> None:
    sha256sum = tool("sha256sum", "coreutils")
    ran(sha256sum, "--check", "--strict", "SHA256SUMS", cwd=release)
    summed = {
        line.split()[1] for line in (release / "SHA256SUMS").read_text().splitlines()
    }
    assert summed == {file.name for file in release.iterdir()} - {"SHA256SUMS"}
