"""The page that asks for the password, and the way out."""

import logging
import math
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

from bokeh.server.auth_provider import AuthProvider, User
from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from dashboard.access.guard import Guard
from dashboard.access.passes import LIFETIME_DAYS

# Tornado declares the verbs of a handler as attributes: hence the ignores below.

LOG_IN = "/login"
LOG_OUT = "/logout"

MOST_QUERY_CHARACTERS = 4000

log = logging.getLogger("dashboard")


def query_of(request: HTTPServerRequest) -> str:
    """What the page is asked for, from its "?" on, to be kept until it is opened.

    Nothing else of the address is kept, so that it leads nowhere but to the page.
    """
    query = request.query
    sensible = query.isascii() and query.isprintable() and " " not in query
    # Whose session a page is belongs to Bokeh, and in no link.
    ours = sensible and "bokeh-" not in query
    return f"?{query}" if query and ours and len(query) <= MOST_QUERY_CHARACTERS else ""


class LogIn(AuthProvider):
    """Tells Bokeh who is let through, and where the others are sent."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        super().__init__()

    @property
    def get_user(self) -> Callable[[HTTPServerRequest], User]:
        """Whom a handler serves; there is one user, who knows the password."""
        return self._user

    @property
    def login_url(self) -> str:
        """Where those are sent who are not let through."""
        return LOG_IN

    @property
    def login_handler(self) -> type[RequestHandler]:
        """Asks for the password."""
        return AskPassword

    @property
    def logout_url(self) -> str:
        """Where a pass is given back."""
        return LOG_OUT

    @property
    def logout_handler(self) -> type[RequestHandler]:
        """Takes a pass back."""
        return TakeBack

    def _user(self, handler: object) -> User:
        # Bokeh hands over the handler, whatever its annotation says.
        request = cast("RequestHandler", handler).request
        return User("viewer" if self.guard.admits(request) else None)


class AtTheGuard(RequestHandler):
    """A handler that talks to the guard."""

    @property
    def guard(self) -> Guard:
        """Of the application that this belongs to."""
        provider: LogIn = self.application.auth_provider  # type: ignore[attr-defined]
        return provider.guard

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return str(self.request.remote_ip)

    @property
    def encrypted(self) -> bool:
        """Whether the request came by TLS."""
        return self.request.protocol == "https"


class AskPassword(AtTheGuard):
    """A form for the password, and what becomes of it."""

    def get(self) -> None:  # type: ignore[mutable-override]
        """Ask, unless that is done already."""
        if self.guard.admits(self.request):
            self.redirect(f"./{query_of(self.request)}")
        else:
            self.ask()

    def post(self) -> None:  # type: ignore[mutable-override]
        """Let in, or ask again."""
        wait_s = self.guard.throttle.wait_s(self.address)
        if wait_s > 0:
            self.ask_later(math.ceil(wait_s))
            return
        given = self.get_body_argument("password", "", strip=False)
        issued = self.guard.pass_for(given, self.address)
        if issued is None:
            log.warning("a wrong password came from %s", self.address)
            self.set_status(HTTPStatus.FORBIDDEN)
            self.ask("That is not the password.")
            return
        self.set_cookie(
            self.guard.cookie,
            issued,
            expires_days=LIFETIME_DAYS,
            httponly=True,
            samesite="Strict",
            secure=self.encrypted,
        )
        self.redirect(f"./{query_of(self.request)}", status=HTTPStatus.SEE_OTHER)

    def ask(self, message: str = "") -> None:
        """Show the form, with what was wrong."""
        query = query_of(self.request)
        self.render("login.html", message=message, query=query)

    def ask_later(self, seconds: int) -> None:
        """Show the form to somebody who was wrong too often."""
        self.set_status(HTTPStatus.TOO_MANY_REQUESTS)
        self.set_header("Retry-After", str(seconds))
        self.ask(f"Too many wrong passwords. Try again in {seconds} s.")


class TakeBack(AtTheGuard):
    """The way out."""

    def post(self) -> None:  # type: ignore[mutable-override]
        """Make the pass void, and close all pages that were opened with it."""
        self.guard.passes.revoke(self.guard.shown_by(self.request))
        self.application.expel()  # type: ignore[attr-defined]
        self.clear_cookie(self.guard.cookie, secure=self.encrypted)
        self.redirect("login", status=HTTPStatus.SEE_OTHER)
