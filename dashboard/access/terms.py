"""On which terms the page is opened to others."""

import hmac
import secrets
from dataclasses import dataclass, field

from dashboard.access.certificate import Certificate
from dashboard.access.origins import in_url, is_loopback
from dashboard.access.password import Password
from streamer.errors import SettingsError


def new_secret() -> bytes:
    """That nobody can guess."""
    return secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may open the page, and how it travels. As it is: this computer alone."""

    password: Password | None = None
    """Asked for, also on this computer; None to ask for none."""
    certificate: Certificate | None = None
    """For TLS; None to send in the clear."""
    origins: tuple[str, ...] = ()
    """HOST:PORT under which browsers know the page, besides those found here."""
    insecure: bool = False
    """Let other computers in without a password."""
    secret: bytes = field(default_factory=new_secret, repr=False)
    """From which keys are made. A server with the same one takes the same passes."""

    def key(self, purpose: str) -> bytes:
        """For one purpose, and no help in making those for others."""
        return hmac.digest(self.secret, purpose.encode(), "sha256")

    def check(self, address: str) -> None:
        """Refuse to open to everybody by mistake, and files that cannot be used.

        Raises
        ------
        SettingsError
            Other computers can reach `address` and nothing protects it; or the
            certificate is not good.
        """
        if not (is_loopback(address) or self.password or self.insecure):
            raise SettingsError(
                f"the page at {in_url(address)} could be opened by everybody in the "
                "network: give --password-file FILE, or --insecure if they all may"
            )
        if self.certificate:
            self.certificate.context()

    def warning(self, address: str) -> str | None:
        """What whoever starts the server should know; None for nothing."""
        if is_loopback(address):
            return None
        if self.password is None:
            return f"everybody who can reach {in_url(address)} can open the page"
        if self.certificate is None:
            return (
                "the password and the page travel in the clear; --tls-cert and "
                "--tls-key encrypt them"
            )
        return None
