"""One file of settings: what it may say, what goes before it, and what is refused."""

import re
import socket
import subprocess
import tomllib
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from atomstream.app import app
from atomstream.ports import free_address
from atomstream.retention import Retention
from atomstream.settings_file import SettingsFile
from dashboard.alert_rules import AlertRules
from streamer.session.reader import SessionReader
from tests.atomstream.conftest import Outcome

type Run = Callable[..., Outcome]
type Spawn = Callable[..., subprocess.Popen[str]]
type Wait = Callable[[Callable[[], bool], float], None]

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"
ENOUGH = 'connect = "tcp://127.0.0.1:5555"\nrecord = "today"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "atomstream.toml"


def options_of(command: str) -> dict[str, Any]:
    """Default of each option, by its name."""
    everything = get_command(app)
    assert isinstance(everything, TyperGroup)
    return {str(p.name): p.default for p in everything.commands[command].params}


def shown(run: Run, *options: str | Path) -> dict[str, tuple[str, str]]:
    """(value, origin) of each setting that `settings show` prints."""
    outcome = run("settings", "show", *options)
    assert outcome.code == 0, outcome.err
    lines = re.findall(r"^(?:# )?(\w+)(?: = (.*?))? +# (.*)$", outcome.out, re.M)
    return {key: (value, origin) for key, value, origin in lines}


def test_every_option_of_a_service_is_a_setting_and_no_other() -> None:
    assert set(SettingsFile.model_fields) == (
        set(options_of("serve")) - {"settings", "check"} | {"retention"}
    )


def test_the_example_is_valid_as_it_is(run: Run, file: Path) -> None:
    file.write_text(run("settings", "example").out)
    outcome = run("settings", "check", file)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"{file}: valid; a service can be started with it\n"


def test_the_example_has_every_key_and_every_default(run: Run, file: Path) -> None:
    text = run("settings", "example").out
    file.write_text(re.sub(r"^# (?=\w+ = )", "", text, flags=re.M))
    whole = tomllib.loads(file.read_text())
    assert set(whole) == set(SettingsFile.model_fields)
    assert set(whole["alerts"]) == set(AlertRules.model_fields)
    assert set(whole["retention"]) == set(Retention.model_fields)
    settings = SettingsFile.read(file)
    assert settings.alerts
    for key, default in options_of("serve").items():
        if key in whole and default is not None and default != []:
            assert getattr(settings, key) == default, key
    for key, default in AlertRules():
        if default is not None:
            assert getattr(settings.alerts, key) == default, key


def test_an_option_goes_before_the_environment_that_before_the_file(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(f'{ENOUGH}threads = 5\ndevice = "cpu"\nrefine = false\n')
    monkeypatch.setenv("ATOMSTREAM_THREADS", "6")
    monkeypatch.setenv("ATOMSTREAM_DEVICE", "auto")
    monkeypatch.setenv("ATOMSTREAM_ALLOW_ORIGIN", "a:1 b:2")
    said = shown(run, "--settings", file, "--threads", "7")
    assert said["threads"] == ("7", "--threads")
    assert said["device"] == ('"auto"', "ATOMSTREAM_DEVICE")
    assert said["refine"] == ("false", str(file))
    assert said["engine"] == ('"local"', "default")
    assert said["metrics"] == ("", "not set")
    assert said["allow_origin"] == ('["a:1", "b:2"]', "ATOMSTREAM_ALLOW_ORIGIN")


def test_the_environment_may_name_the_file(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("threads = 5")
    monkeypatch.setenv("ATOMSTREAM_SETTINGS", str(file))
    assert shown(run)["threads"] == ("5", str(file))


def test_what_is_shown_is_a_file_that_says_the_same(run: Run, file: Path) -> None:
    tables = "[alerts]\nsilicon_below = 1\n[retention]\nolder_than = '4w'"
    file.write_text(f"{ENOUGH}threads = 5\n{tables}")
    once = shown(run, "--settings", file)
    assert once["older_than"] == ('"4w"', str(file))
    assert once["keep_bytes"] == ("", "not set")
    assert once["silicon_below"] == ("1.0", str(file))
    again = file.with_name("again.toml")
    again.write_text(run("settings", "show", "--settings", file).out)
    twice = shown(run, "--settings", again)
    assert {k: v for k, (v, _) in twice.items()} == {k: v for k, (v, _) in once.items()}


def test_relative_paths_start_from_the_file_wherever_a_service_is_started(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('record = "a"\nmodel = "./m"\nserver_key = ["k/x", "00ff"]')
    monkeypatch.chdir("/")
    settings = SettingsFile.read(file)
    assert settings.record == file.parent / "a"
    assert settings.model == str(file.parent / "m")
    assert settings.server_key == (str(file.parent / "k" / "x"), "00ff")
    file.write_text('model = "graphene-si"')
    assert SettingsFile.read(file).model == "graphene-si"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("conect = 'x'", "'conect' is no setting; do you mean connect?"),
        ("xyz = 1", "'xyz' is no setting; there are connect, record, publish"),
        ("threads = 65", "threads: 65: Input should be less than or equal to 64"),
        ("threads = '2'", "threads: '2': Input should be a valid integer"),
        ("refine = 1", "refine: 1: Input should be a valid boolean"),
        ("pixel_size = 5", "pixel_size: 5: Input should be less than or equal to 1"),
        ("engine = 'dusk'", "engine: 'dusk': Input should be 'local' or 'dask'"),
        ("record = ''", "record: '': expected a path"),
        ("connect = [1]", "connect: 1: Input should be a valid string"),
        ("alerts = 1", "alerts: 1: Input should be a valid dictionary"),
        ("[alerts]\nsilicon_bellow = 1",
         "[alerts] 'silicon_bellow' is no rule; do you mean silicon_below?"),
        ("[retention]\nolder = '3d'",
         "[retention] 'older' is no quota; do you mean older_than?"),
        ("[retention]\nolder_than = '3 months'",
         "[retention] older_than: '3 months': '3 months' is no age; expected"),
        ("[retention]\nkeep_bytes = 5",
         "[retention] keep_bytes: 5: Input should be a valid string"),
        ("[dashbord]\nport = 1", "'dashbord' is no setting; do you mean dashboard?"),
        ("x = ", "is no TOML: Invalid value"),
        (f"{ENOUGH}dashboard = 'here'", "--dashboard here: expected HOST:PORT"),
        (f"{ENOUGH}dashboard = '0.0.0.0:1'", "could be opened by everybody"),
        (f"{ENOUGH}model = 'gold'", "no model 'gold'"),
        (f"{ENOUGH}dashboard = '127.0.0.1:1'\npassword_file = 'none'",
         "none cannot be read: No such file"),
        (f"{ENOUGH}[alerts]\nsilicon_below = 1",
         "[alerts] is about the page; give --dashboard HOST:PORT too"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", [("settings", "check"), ("serve", "--settings")])
def test_a_wrong_file_is_refused_in_one_line_that_helps(
    run: Run, file: Path, text: str, words: str, command: tuple[str, ...]
) -> None:
    file.write_text(text)
    outcome = run(*command, file)
    assert outcome.code == 2
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (file.parent / "today").exists()


def test_a_password_in_the_settings_is_refused_and_not_repeated(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(f"{ENOUGH}password = 'open sesame'")
    outcome = run("settings", "check", file)
    assert outcome.code == 2
    assert "name it with password_file" in outcome.err
    assert "sesame" not in outcome.err
    monkeypatch.setenv("ATOMSTREAM_PASSWORD", "open sesame")
    file.write_text(ENOUGH)
    outcome = run("serve", "--settings", file)
    assert outcome.code == 2
    assert "name it with ATOMSTREAM_PASSWORD_FILE" in outcome.err
    assert "sesame" not in outcome.err


def test_a_slip_of_the_pen_in_the_environment_is_told(
    run: Run,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file.write_text(ENOUGH)
    monkeypatch.setenv("ATOMSTREAM_THREDS", "1")
    monkeypatch.setenv("ATOMSTREAM_FIGURES", "of another program")
    assert run("settings", "check", file).code == 0
    assert caplog.messages == [
        "ATOMSTREAM_THREDS is no setting; do you mean ATOMSTREAM_THREADS?"
    ]


def test_a_file_is_checked_also_while_its_service_has_the_ports(
    run: Run, file: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as page:
        file.write_text(f"{ENOUGH}dashboard = '127.0.0.1:{page.getsockname()[1]}'")
        assert run("settings", "check", file).code == 0


def test_a_file_that_is_about_the_page_alone_is_valid(run: Run, file: Path) -> None:
    file.write_text("dashboard = '127.0.0.1:1'\n[alerts]\nsilicon_below = 1")
    outcome = run("settings", "check", file)
    assert outcome.code == 0
    assert outcome.out == f"{file}: valid; a service needs connect and record too\n"


def test_without_a_source_or_a_session_it_is_said_how_to_name_one(run: Run) -> None:
    outcome = run("serve")
    assert outcome.code == 2
    assert "set ATOMSTREAM_CONNECT, or connect in a file" in outcome.err
    outcome = run("serve", "--connect", "tcp://127.0.0.1:1")
    assert "set ATOMSTREAM_RECORD, or record in a file" in outcome.err


@pytest.mark.timeout(300)
def test_a_service_does_what_its_file_says(
    spawn: Spawn, file: Path, movie: Path, wait_for: Wait
) -> None:
    source = free_address()
    file.write_text(
        f'connect = "{source}"\nrecord = "kept"\npublish = "{free_address()}"\n'
        "refine = false\npixel_size = 0.017\nthreads = 1\nuntil_end = true\n"
    )
    spawn("replay", movie, "--bind", source, "--period", "0.1")
    service = spawn("serve", "--settings", file)
    wait_for(lambda: service.poll() is not None, 120)
    assert service.returncode == 0, service.communicate()
    with SessionReader(file.parent / "kept") as session:
        (record,) = session.streams()
        analyses = session.analyses(record.stream.id)
    assert [each.pixel_size_nm for each in analyses] == [0.017] * 3
    assert all("refine" not in each.stages_ms for each in analyses)


@pytest.mark.timeout(300)
def test_a_dashboard_takes_of_a_file_what_is_about_the_page(
    spawn: Spawn, run: Run, file: Path, movie: Path, wait_for: Wait
) -> None:
    session, password = file.parent / "session", file.with_name("page.password")
    assert run("analyze", movie, "--record", session, "--no-refine").code == 0
    password.touch(mode=0o600)
    password.write_text("correct horse battery\n")
    port = int(free_address().rpartition(":")[2])
    file.write_text(
        f'{ENOUGH}dashboard = "127.0.0.1:{port}"\npassword_file = "page.password"\n'
    )
    spawn("dashboard", session, "--settings", file)
    wait_for(lambda: status(port) == 302, 120)
    assert status(port, "/login") == 200


def status(port: int, path: str = "/") -> int:
    """What a page answers; 0 if nobody does."""
    line = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        line.request("GET", path)
        return line.getresponse().status
    except OSError:
        return 0
    finally:
        line.close()


def test_the_documentation_has_every_key_with_its_default() -> None:
    rows = [
        [cell.strip() for cell in line.split("|")]
        for line in DOCS.read_text().splitlines()
    ]
    said = {
        cells[1].strip("`"): cells[3].strip("`") for cells in rows if len(cells) == 6
    }
    options = options_of("serve")
    for key in set(SettingsFile.model_fields) - {"alerts", "retention"}:
        assert said[key] == written(key, options[key]), key


def written(key: str, default: object) -> str:
    match default:
        case bool():
            return str(default).lower()
        case str():
            return f'"{default}"'
        case _:
            return "needed" if key in ("connect", "record") else "none"
