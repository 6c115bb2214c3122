from pathlib import Path

import pytest

from dashboard.access.certificate import Certificate
from dashboard.access.password import Password
from dashboard.access.terms import Access

PASSWORD = Password.of("correct horse battery")
CERTIFICATE = Certificate(Path("cert.pem"), Path("key.pem"))


@pytest.mark.parametrize(
    ("access", "address", "said"),
    [
        (Access(), "127.0.0.1", None),
        (Access(insecure=True), "127.0.0.1", None),
        (Access(insecure=True), "0.0.0.0", "everybody who can reach 0.0.0.0"),
        (Access(PASSWORD), "0.0.0.0", "travel in the clear; --tls-cert and --tls-key"),
        (Access(PASSWORD, CERTIFICATE), "0.0.0.0", None),
    ],
)
def test_whoever_starts_a_server_is_told_what_is_doubtful(
    access: Access, address: str, said: str | None
) -> None:
    warning = access.warning(address)
    assert warning is None if said is None else said in str(warning)


def test_servers_have_secrets_of_their_own_and_never_show_them() -> None:
    one, other = Access(), Access()
    assert one.key("passes") != other.key("passes")
    assert one.key("passes") != one.key("sessions")
    assert one.secret.hex() not in repr(one)
    assert "secret" not in repr(one)
