"""What a browser holds after the right password, and shows at each request."""

import secrets
from collections.abc import Callable

from tornado.web import create_signed_value, decode_signed_value

LIFETIME_DAYS = 7.0
MOST_REVOKED = 10_000
DAY_S = 24 * 3600


class Passes:
    """Signed, of limited life, and void after `revoke`.

    Nothing is kept of those that are good, so a server that is started again with the
    same key goes on to take them.

    Parameters
    ----------
    name
        Of the cookie; part of what is signed.
    key
        Signs them.
    clock_s
        Wall-clock time in s.
    """

    def __init__(self, name: str, key: bytes, clock_s: Callable[[], float]) -> None:
        self._name = name
        self._key = key
        self._clock_s = clock_s
        self._revoked: dict[str, float] = {}

    def issue(self) -> str:
        """A new one."""
        signed = create_signed_value(
            self._key, self._name, secrets.token_hex(16), clock=self._clock_s
        )
        return signed.decode("ascii")

    def holds(self, text: str) -> bool:
        """Whether `text` is one that is good now."""
        number = self._number_in(text)
        return number is not None and number not in self._revoked

    def revoke(self, text: str) -> None:
        """Make one void that was good."""
        number = self._number_in(text)
        if number is None:
            return
        now_s = self._clock_s()
        self._revoked[number] = now_s + LIFETIME_DAYS * DAY_S
        self._revoked = {n: end for n, end in self._revoked.items() if end >= now_s}
        if len(self._revoked) > MOST_REVOKED:
            # Too many to remember which: from now on, none of them is good.
            self._key, self._revoked = secrets.token_bytes(32), {}

    def _number_in(self, text: str) -> str | None:
        # Version 1 is still decoded by default, and weaker.
        decoded = decode_signed_value(
            self._key, self._name, text, LIFETIME_DAYS, self._clock_s, min_version=2
        )
        return None if decoded is None else decoded.decode("ascii")
