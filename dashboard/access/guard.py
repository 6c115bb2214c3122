"""Who is let through: what each request is asked for."""

import base64
import hmac
import time
from collections.abc import Callable

from tornado.httputil import HTTPServerRequest

from dashboard.access.passes import Passes
from dashboard.access.password import Password
from dashboard.access.terms import Access
from dashboard.access.throttle import Throttle


class Guard:
    """Gives passes for the right password, and lets through who has one.

    Parameters
    ----------
    password
        What is asked for.
    cookie
        Name of the cookie in which browsers keep their pass.
    key
        Signs passes.
    wall_clock_s, monotonic_s
        For passes, which outlive the process; and for how long guesses have to wait.
    """

    def __init__(
        self,
        password: Password,
        cookie: str,
        key: bytes,
        wall_clock_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cookie = cookie
        self.passes = Passes(cookie, key, wall_clock_s)
        self.throttle = Throttle(monotonic_s)
        self._password = password

    def admits(self, request: HTTPServerRequest) -> bool:
        """Whether `request` shows a pass that is good now."""
        return self.passes.holds(self.shown_by(request))

    def knows_password(self, request: HTTPServerRequest) -> bool:
        """Whether `request` comes with the password, as programs send it.

        By the header of HTTP's basic authentication (RFC 7617), any name being right.
        A wrong one counts as one that was typed.
        """
        given = basic_password(request.headers.get("Authorization", ""))
        address = str(request.remote_ip)
        if given is None or self.throttle.wait_s(address) > 0:
            return False
        if self._password.is_(given):
            # Nothing is forgiven for it: who scrapes comes every few seconds.
            return True
        self.throttle.wrong(address)
        return False

    def shown_by(self, request: HTTPServerRequest) -> str:
        """The pass that `request` shows, good or not; empty for none."""
        morsel = request.cookies.get(self.cookie)
        return morsel.value if morsel else ""

    def pass_for(self, password: str, address: str) -> str | None:
        """A new pass if `password`, from `address`, is right."""
        if not self._password.is_(password):
            self.throttle.wrong(address)
            return None
        self.throttle.right(address)
        return self.passes.issue()


def guard_of(access: Access, port: int) -> Guard | None:
    """The guard of a server at `port`; None if everybody is let through."""
    if access.password is None:
        return None
    # Browsers send cookies to all ports of a computer, so that each needs its name;
    # the prefix makes them refuse one that was set without TLS.
    prefix = "__Host-" if access.certificate else ""
    key = hmac.digest(access.key("passes"), access.password.digest, "sha256")
    return Guard(access.password, f"{prefix}atomstream-{port}", key)


def basic_password(header: str) -> str | None:
    """The password in a header of basic authentication; None if it is none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        said = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except ValueError:
        return None
    _, colon, password = said.partition(":")
    return password if colon else None
