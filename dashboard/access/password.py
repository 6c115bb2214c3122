"""The password of the page, as it is kept in a file and compared."""

import hashlib
import hmac
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from streamer.errors import SettingsError

FEWEST_CHARACTERS = 12
MOST_BYTES = 1024
OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Password:
    """Recognises a password without holding it."""

    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, text: str) -> "Password":
        """What recognises `text`."""
        return cls(digest(text))

    def is_(self, text: str) -> bool:
        """Whether `text` is it, in a time that does not depend on how nearly."""
        return hmac.compare_digest(self.digest, digest(text))


def digest(text: str) -> bytes:
    """Of one length, whatever `text` is."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def read_password(path: Path) -> Password:
    """The password that is the only line of a file which is nobody else's to read.

    Raises
    ------
    SettingsError
        It cannot be read, others can read it too, or it is no good password.
    """
    try:
        with path.open("rb") as file:
            refuse_shared(path, os.fstat(file.fileno()).st_mode)
            text = file.read(MOST_BYTES + 1).decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise SettingsError(
            f"the password file {path} cannot be read: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"the password file {path} is not text in UTF-8") from error
    if not (FEWEST_CHARACTERS <= len(text) < MOST_BYTES and text.isprintable()):
        raise SettingsError(
            f"the password file {path} must hold one line of at least "
            f"{FEWEST_CHARACTERS} characters, for instance what "
            "`openssl rand -base64 18` writes"
        )
    return Password.of(text)


def refuse_shared(path: Path, mode: int) -> None:
    """Refuse a file that other users of this computer can read or write.

    Raises
    ------
    SettingsError
        They can.
    """
    if os.name == "posix" and mode & OF_OTHERS:
        raise SettingsError(
            f"the password file {path} is open to other users of this computer "
            f"(mode {stat.S_IMODE(mode):04o}, expected 0600); chmod 600 {path}"
        )
