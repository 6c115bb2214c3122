"""The certificate by which a browser knows this server, and its key."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import SettingsError

ROUNDS_OF_A_HANDSHAKE = 8
"""More than any takes that does not fail."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Two files: a chain of certificates, the server's first, and its key; both PEM."""

    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """What encrypts connections to the server.

        Raises
        ------
        SettingsError
            A file cannot be read, they do not belong together, or the certificate
            is not valid now.
        """
        for path in (self.chain, self.key):
            refuse_unreadable(path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.chain, self.key, self._refuse_locked)
            shake_hands(context, self.chain)
        except ssl.SSLCertVerificationError as error:
            raise SettingsError(
                f"the certificate {self.chain} cannot be used: {error.verify_message}"
            ) from error
        except ssl.SSLError as error:
            raise SettingsError(
                f"{self.chain} and {self.key} are not a certificate and its key, both "
                f"in PEM ({reason_of(error)})"
            ) from error
        return context

    def _refuse_locked(self) -> str:
        raise SettingsError(
            f"the key {self.key} asks for a passphrase, which nobody is here to give; "
            "expected a key without one"
        )


def refuse_unreadable(path: Path) -> None:
    """Refuse what is not there; OpenSSL would not say which of its files that is.

    Raises
    ------
    SettingsError
        It cannot be opened.
    """
    try:
        path.open("rb").close()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error


def reason_of(error: ssl.SSLError) -> str:
    """OpenSSL's reason, in words."""
    return (error.reason or "unreadable").replace("_", " ").lower()


def shake_hands(context: ssl.SSLContext, chain: Path) -> None:
    """Connect to `context` in memory, as a browser would that trusts `chain`.

    Raises
    ------
    ssl.SSLError
        The browser would refuse the certificate: expired, not valid yet, not for
        servers.
    """
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    # Trust in this very certificate, whoever signed it.
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trusting.load_verify_locations(chain)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    browser = trusting.wrap_bio(back, there)
    server = context.wrap_bio(there, back, server_side=True)
    for _ in range(ROUNDS_OF_A_HANDSHAKE):
        for end in (browser, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
