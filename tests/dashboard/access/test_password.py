import os
from pathlib import Path

import pytest

from dashboard.access.password import Password, read_password
from streamer.errors import SettingsError

GOOD = "correct horse battery"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.touch(mode=0o600)
    return path


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_password_is_the_line(file: Path, end: str) -> None:
    file.write_bytes((GOOD + end).encode())
    password = read_password(file)
    assert password.is_(GOOD)
    for other in ("", GOOD + end + "x", GOOD[:-1], GOOD.upper(), f" {GOOD}"):
        assert not password.is_(other)


def test_any_text_can_be_compared() -> None:
    password = Password.of("Müller's scanning beam")
    assert password.is_("Müller's scanning beam")
    for other in ("\ud800", "\0", "x" * 10**6):
        assert not password.is_(other)


def test_a_password_is_never_shown() -> None:
    assert GOOD not in repr(Password.of(GOOD))
    assert "digest" not in repr(Password.of(GOOD))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"too short",
        b"one line of it\nand another",
        b"a\tb c d e f g h i",
        b"x" * 2000,
    ],
)
def test_what_is_no_good_password_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsError, match="must hold one line of at least 12"):
        read_password(file)


def test_what_is_no_text_is_refused(file: Path) -> None:
    file.write_bytes(b"\xff" * 20)
    with pytest.raises(SettingsError, match="is not text in UTF-8"):
        read_password(file)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o700 | 0o001])
@pytest.mark.skipif(os.name != "posix", reason="other systems have no such modes")
def test_a_file_that_others_can_open_is_refused(file: Path, mode: int) -> None:
    file.write_text(GOOD)
    file.chmod(mode)
    with pytest.raises(SettingsError) as caught:
        read_password(file)
    assert str(caught.value) == (
        f"the password file {file} is open to other users of this computer "
        f"(mode {mode:04o}, expected 0600); chmod 600 {file}"
    )


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(SettingsError, match="cannot be read: "):
            read_password(path)
