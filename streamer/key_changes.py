"""What changes a key folder: new keys, and who is allowed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zmq
from filelock import FileLock
from zmq.utils import z85

from streamer.errors import SecurityError
from streamer.keys import PRIVATE_MARK, AllowList, KeyFolder, checked_name
from streamer.session.durable import replacing, write_file

HEAD = "# Who may connect: a name and a public key a line.\n"


def make_keys(folder: KeyFolder, *, renew: bool = False) -> bytes:
    """Make a pair of keys and return the public one.

    Parameters
    ----------
    renew
        Replace those that are there: whoever has the old public key must be given
        the new one.

    Raises
    ------
    SecurityError
        There are keys already, or the folder cannot be written to.
    """
    with changing(folder):
        if folder.private_file.exists() and not renew:
            raise SecurityError(
                f"{folder.private_file} exists and is kept: `atomstream keys show` "
                "prints its public key; --renew replaces it, and then all who "
                "connect need the new public key"
            )
        public, private = (z85.decode(key) for key in zmq.curve_keypair())
        with replacing(folder.private_file) as temporary:
            write_private(temporary, f"{PRIVATE_MARK}{private.hex()}\n")
        write_file(folder.public_file, f"{public.hex()}\n".encode())
    return public


def allow(folder: KeyFolder, name: str, key: bytes) -> None:
    """Let who has the private key of `key` connect.

    Raises
    ------
    SecurityError
        The name or the key is taken, the list is damaged, or cannot be written.
    """
    checked_name(name)
    with changing(folder):
        keys = whole_list(folder)
        if keys.get(name, key) != key:
            raise SecurityError(
                f"{name} has another key; first: atomstream keys revoke {name}"
            )
        # Under two names a key would still be allowed when one of them is revoked.
        other = next((each for each, known in keys.items() if known == key), name)
        if other != name:
            raise SecurityError(f"this key is allowed already, as {other}")
        write_list(folder, {**keys, name: key})


def revoke(folder: KeyFolder, name: str) -> None:
    """Let it connect no more.

    Raises
    ------
    SecurityError
        Nobody has that name, the list is damaged, or cannot be written.
    """
    with changing(folder):
        keys = whole_list(folder)
        if name not in keys:
            known = ", ".join(sorted(keys)) or "nobody"
            raise SecurityError(f"no {name[:100]!r} on the list; on it: {known}")
        del keys[name]
        write_list(folder, keys)


def whole_list(folder: KeyFolder) -> dict[str, bytes]:
    """Who may connect, by name.

    Raises
    ------
    SecurityError
        A line of the list is damaged: what is written next would drop it.
    """
    allowed: AllowList = folder.allowed()
    if allowed.damaged:
        lines = ", ".join(map(str, allowed.damaged))
        raise SecurityError(
            f"line {lines} of {folder.allowed_file} is wrong; expected a name that "
            "occurs once and a public key"
        )
    return allowed.keys


@contextmanager
def changing(folder: KeyFolder) -> Iterator[None]:
    """Block in which nobody else changes the folder; it is made when missing."""
    try:
        folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(folder.path / ".lock"):
            yield
    except OSError as error:
        raise SecurityError(
            f"{folder.path} cannot be written to: {error.strerror}; --keys DIR takes "
            "another folder"
        ) from error


def write_list(folder: KeyFolder, keys: dict[str, bytes]) -> None:
    """Replace the allow-list, so that readers see the old one or the new one."""
    lines = [f"{name} {key.hex()}\n" for name, key in keys.items()]
    write_file(folder.allowed_file, (HEAD + "".join(lines)).encode())


def write_private(path: Path, text: str) -> None:
    """Write a file that was never readable for others, not even for a moment."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
