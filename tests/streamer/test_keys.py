"""Keys in a folder: what is one, who is on the list, and who may read what."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st
from zmq.utils import z85

from streamer.errors import SecurityError
from streamer.key_changes import allow, make_keys, revoke, whole_list
from streamer.keys import AllowList, KeyFolder, parse_key, public_key, public_of

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "not" / "there" / "yet")


@pytest.mark.parametrize("text", [KEY.hex(), KEY.hex().upper(), f" {KEY.hex()}\n"])
def test_a_key_is_64_hexadecimal_digits(text: str) -> None:
    assert parse_key(text, "it") == KEY


def test_a_key_as_other_zeromq_programs_write_it_is_taken() -> None:
    assert parse_key(z85.encode(KEY).decode(), "it") == KEY


@pytest.mark.parametrize(
    "text", ["", KEY.hex()[1:], KEY.hex() + "0", "g" * 64, "~" * 40, "ä" * 40]
)
def test_anything_else_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(SecurityError) as error:
        parse_key(text, "it")
    assert str(error.value) == (
        "it is no public key: expected 64 hexadecimal digits, as `atomstream keys "
        "show` prints them"
    )


@given(st.text(f"friend #\n\r\t\0\u2028é{KEY.hex()}"))
def test_whatever_is_in_a_list_only_whole_lines_let_somebody_in(text: str) -> None:
    allowed = AllowList.parse(f"{text}\nfriend {KEY.hex()}\n")
    assert KEY in allowed.keys.values()
    assert all(len(key) == 32 for key in allowed.keys.values())


@pytest.mark.parametrize(
    ("line", "lets_in"),
    [
        pytest.param(f"b {OTHER.hex()}", True, id="a name and a key"),
        pytest.param(f"b {OTHER.hex()}  # the big one", True, id="with a remark"),
        pytest.param("# nobody", False, id="a remark alone"),
        pytest.param("", False, id="empty"),
        pytest.param(OTHER.hex(), False, id="no name"),
        pytest.param(f"a {OTHER.hex()}", False, id="a name that is taken"),
        pytest.param(f"b {OTHER.hex()} c", False, id="a word too many"),
        pytest.param(f"../b {OTHER.hex()}", False, id="a name that is none"),
        pytest.param(f"b {OTHER.hex()[1:]}", False, id="a key that is too short"),
    ],
)
def test_a_line_of_the_list(line: str, lets_in: bool) -> None:
    allowed = AllowList.parse(f"a {KEY.hex()}\n{line}\n")
    assert list(allowed.keys.values()) == ([KEY, OTHER] if lets_in else [KEY])
    is_fault = not lets_in and bool(line.partition("#")[0])
    assert allowed.damaged == ((2,) if is_fault else ())


def test_a_new_private_key_is_for_its_owner_alone(folder: KeyFolder) -> None:
    public = make_keys(folder)
    assert stat.S_IMODE(folder.private_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert public_of(folder.private()) == folder.public() == public
    assert public_key(str(folder.public_file)) == public
    assert [file.name for file in folder.path.glob("*.tmp")] == []


def test_keys_are_not_overwritten_unasked(folder: KeyFolder) -> None:
    make_keys(folder)
    before = folder.private_file.read_bytes()
    with pytest.raises(SecurityError, match="exists and is kept"):
        make_keys(folder)
    assert folder.private_file.read_bytes() == before
    make_keys(folder, renew=True)
    assert folder.private_file.read_bytes() != before
    assert stat.S_IMODE(folder.private_file.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_private_key_that_others_can_read_is_not_used(
    folder: KeyFolder, mode: int
) -> None:
    make_keys(folder)
    folder.private_file.chmod(mode)
    with pytest.raises(SecurityError, match="others may read the private key"):
        folder.private()


@pytest.mark.parametrize("content", [b"", b"private \n", b"private 00", b"\xff" * 72])
def test_a_damaged_private_key_is_refused_by_name(
    folder: KeyFolder, content: bytes
) -> None:
    make_keys(folder)
    folder.private_file.write_bytes(content)
    with pytest.raises(SecurityError, match=str(folder.private_file)):
        folder.private()


def test_a_private_key_is_never_taken_for_a_public_one(folder: KeyFolder) -> None:
    make_keys(folder)
    with pytest.raises(SecurityError, match="is no public key") as error:
        public_key(str(folder.private_file))
    assert folder.private().hex() not in str(error.value)


def test_a_folder_that_cannot_be_entered_is_an_error_of_keys(
    folder: KeyFolder, shut: Callable[[Path], None]
) -> None:
    make_keys(folder)
    shut(folder.path)
    for read in (folder.private, folder.public, folder.allowed):
        with pytest.raises(SecurityError, match="cannot be read"):
            read()
    with pytest.raises(SecurityError, match="is no public key"):
        public_key(str(folder.public_file))


@pytest.mark.parametrize("text", ["g" * 300, "secret " + "0" * 63])
def test_text_that_is_neither_a_key_nor_a_file_is_not_repeated(text: str) -> None:
    with pytest.raises(SecurityError, match="is no public key") as error:
        public_key(text)
    assert text[:20] not in str(error.value)


def test_who_is_allowed_is_on_the_list_until_revoked(folder: KeyFolder) -> None:
    allow(folder, "a", KEY)
    allow(folder, "b", OTHER)
    allow(folder, "b", OTHER)
    assert folder.allowed().keys == {"a": KEY, "b": OTHER}
    revoke(folder, "a")
    assert folder.allowed().keys == {"b": OTHER}


def test_a_name_is_of_one_key_and_a_key_has_one_name(folder: KeyFolder) -> None:
    allow(folder, "a", KEY)
    with pytest.raises(SecurityError, match="a has another key"):
        allow(folder, "a", OTHER)
    with pytest.raises(SecurityError, match="allowed already, as a"):
        allow(folder, "b", KEY)
    with pytest.raises(SecurityError, match="'b' on the list; on it: a"):
        revoke(folder, "b")
    assert whole_list(folder) == {"a": KEY}


def test_a_damaged_list_is_not_written_over(folder: KeyFolder) -> None:
    allow(folder, "a", KEY)
    with folder.allowed_file.open("a") as file:
        file.write("who is this\n")
    before = folder.allowed_file.read_text()
    with pytest.raises(SecurityError, match="line 3 of "):
        allow(folder, "b", OTHER)
    assert folder.allowed_file.read_text() == before


def test_z85_of_zeromq_is_ours() -> None:
    public, private = map(z85.decode, zmq.curve_keypair())
    assert public_of(private) == public
