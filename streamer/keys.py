"""CURVE keys in a folder: one's own, and the public ones of those who may connect.

A key is 32 bytes. In files and for people it is written as 64 hexadecimal digits,
which no shell takes for anything else.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import zmq
from zmq.utils import z85

from streamer.errors import SecurityError
from streamer.header import IDENTIFIER, is_identifier

PRIVATE_NAME = "private.key"
PUBLIC_NAME = "public.key"
ALLOWED_NAME = "allowed.txt"
PRIVATE_MARK = "private "
"""Stands before a private key, so that it is never taken for a public one."""
MOST_BYTES = 2**20
"""Of a file in the folder: more than any allow-list, less than harms."""

_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_FORM = "64 hexadecimal digits, as `atomstream keys show` prints them"


def parse_key(text: str, where: str) -> bytes:
    """The key written in `text`; also taken is Z85, which other programs write.

    Raises
    ------
    SecurityError
        There is none; `where` says what was read, the text itself is not repeated.
    """
    text = text.strip()
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    try:
        key: bytes = z85.decode(text.encode("ascii")) if len(text) == 40 else b""
    except (ValueError, KeyError):
        key = b""
    if len(key) != 32:
        raise SecurityError(f"{where} is no public key: expected {_FORM}")
    return key


def public_of(private: bytes) -> bytes:
    """The public key that belongs to a private one."""
    public: bytes = z85.decode(zmq.curve_public(z85.encode(private)))
    return public


def public_key(text: str) -> bytes:
    """The public key that is written in `text`, or in the file that it names.

    Raises
    ------
    SecurityError
        Neither a key nor a file that holds one.
    """
    path = Path(text)
    try:
        is_file = path.is_file()
    except OSError:
        # Too long for a name, or in a folder that cannot be entered.
        is_file = False
    if is_file:
        return parse_key(_read(path), str(path))
    return parse_key(text, "what was given, and no file has that name,")


@dataclass(frozen=True, slots=True)
class AllowList:
    """Who may connect."""

    keys: dict[str, bytes]
    """Public keys by the name that each was given."""
    damaged: tuple[int, ...]
    """Numbers of the lines, from 1 on, that let nobody in because they are wrong."""

    @classmethod
    def parse(cls, text: str) -> "AllowList":
        """The list in `text`: a name and a key a line; # begins a remark."""
        keys: dict[str, bytes] = {}
        damaged = []
        for number, line in enumerate(text.splitlines(), 1):
            words = line.partition("#")[0].split()
            if not words:
                continue
            try:
                name, written = words
                key = parse_key(written, "")
                is_new = is_identifier(name) and name not in keys
            except (ValueError, SecurityError):
                is_new = False
            if is_new:
                keys[name] = key
            else:
                damaged.append(number)
        return cls(keys, tuple(damaged))


def checked_name(name: str) -> str:
    """`name`, which may stand in an allow-list.

    Raises
    ------
    SecurityError
        It may not.
    """
    if not is_identifier(name):
        raise SecurityError(f"name {name[:100]!r}: expected {IDENTIFIER}")
    return name


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """Keys of one user of one computer.

    Holds the path alone, so that it may cross to another process: a private key is
    read where it is used.
    """

    path: Path

    @property
    def private_file(self) -> Path:
        """One's own private key; nobody else may read it."""
        return self.path / PRIVATE_NAME

    @property
    def public_file(self) -> Path:
        """The public key to give to others."""
        return self.path / PUBLIC_NAME

    @property
    def allowed_file(self) -> Path:
        """Who may connect."""
        return self.path / ALLOWED_NAME

    def private(self) -> bytes:
        """One's own private key.

        Raises
        ------
        SecurityError
            There is none, it is damaged, or others can read it.
        """
        path = self.private_file
        mode = _mode(path)
        if mode is None:
            raise SecurityError(
                f"no keys in {self.path}; make them with `atomstream keys new`"
            )
        if os.name == "posix" and mode & 0o077:
            raise SecurityError(
                f"others may read the private key {path}; make new keys with "
                f"`atomstream keys new --renew`, or, if nobody has: chmod 600 {path}"
            )
        text = _read(path)
        if not text.startswith(PRIVATE_MARK):
            raise SecurityError(f"{path} holds no private key; restore it")
        try:
            return parse_key(text.removeprefix(PRIVATE_MARK), str(path))
        except SecurityError:
            raise SecurityError(f"{path} holds no private key; restore it") from None

    def public(self) -> bytes:
        """One's own public key.

        Raises
        ------
        SecurityError
            As for `private`.
        """
        return public_of(self.private())

    def allowed(self) -> AllowList:
        """Who may connect; nobody, when nobody was ever allowed.

        Raises
        ------
        SecurityError
            The file cannot be read.
        """
        path = self.allowed_file
        return AllowList.parse("" if _mode(path) is None else _read(path))

    def content(self) -> tuple[bytes, bytes]:
        """Bytes of the private key and of the allow-list, to see whether they change.

        Empty stands for a file that cannot be read.
        """
        return _bytes(self.private_file), _bytes(self.allowed_file)


def _mode(path: Path) -> int | None:
    """Mode of a file, None when it is not there.

    `Path.exists` would raise where a folder cannot be entered.
    """
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SecurityError(f"{path} cannot be read: {error.strerror}") from error


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SecurityError(f"{path} is far too large for keys")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SecurityError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SecurityError(f"{path} is not text") from error


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except OSError:
        return b""
