import shutil
import ssl
import subprocess
import time
from http.client import HTTPSConnection
from pathlib import Path
from urllib.request import urlopen

import pytest

from dashboard.access.certificate import Certificate
from dashboard.access.password import Password
from dashboard.access.terms import Access
from dashboard.hub import Hub
from dashboard.server import Dashboard
from streamer.errors import SettingsError

AUTHORITY = """
[ca]
default_ca = own
[own]
database = {folder}/database
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
[any]
commonName = supplied
"""
NAME = ("-subj", "/CN=localhost")
MADE = ("-days", "30", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and certificates: good, expired, of somebody else, locked."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    at = tmp_path_factory.mktemp("certificates")
    for name in ("good", "other"):
        key = ("-newkey", "rsa:2048", "-nodes", "-keyout", at / f"{name}.key")
        openssl("req", "-x509", *key, "-out", at / f"{name}.crt", *NAME, *MADE)
    (at / "authority").write_text(AUTHORITY.format(folder=at))
    (at / "database").touch()
    (at / "serial").write_text("01\n")
    openssl("req", "-new", "-key", at / "good.key", "-out", at / "request", *NAME)
    for name, begin, end in (("expired", "2019", "2020"), ("early", "2090", "2091")):
        dates = ("-startdate", f"{begin}0101000000Z", "-enddate", f"{end}0101000000Z")
        signing = (
            "-selfsign",
            "-keyfile",
            at / "good.key",
            "-config",
            at / "authority",
        )
        out = ("-in", at / "request", "-out", at / f"{name}.crt")
        openssl("ca", "-batch", "-notext", *signing, *dates, *out)
        (at / "database").write_text("")
    lock = ("-aes256", "-passout", "pass:secret")
    openssl("rsa", *lock, "-in", at / "good.key", "-out", at / "locked.key")
    (at / "empty").touch()
    return at


@pytest.mark.parametrize(
    ("chain", "key", "said"),
    [
        ("good.crt", "other.key", "are not a certificate and its key"),
        ("good.key", "good.crt", "are not a certificate and its key"),
        ("empty", "good.key", "are not a certificate and its key"),
        ("good.crt", "empty", "are not a certificate and its key"),
        ("expired.crt", "good.key", "cannot be used: certificate has expired"),
        ("early.crt", "good.key", "cannot be used: certificate is not yet valid"),
        ("good.crt", "locked.key", "asks for a passphrase"),
        ("none.crt", "good.key", "none.crt cannot be read: No such file"),
        ("good.crt", "none.key", "none.key cannot be read: No such file"),
    ],
)
def test_a_pair_that_no_browser_would_take_is_one_clear_line(
    folder: Path, chain: str, key: str, said: str
) -> None:
    access = Access(certificate=Certificate(folder / chain, folder / key))
    with pytest.raises(SettingsError) as caught:
        Dashboard(Hub("here", time.monotonic), port=0, access=access)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_page_is_served_encrypted_and_not_in_the_clear(folder: Path) -> None:
    certificate = Certificate(folder / "good.crt", folder / "good.key")
    access = Access(Password.of("correct horse battery"), certificate)
    trusting = ssl.create_default_context(cafile=folder / "good.crt")
    with Dashboard(Hub("here", time.monotonic), port=0, access=access) as dashboard:
        assert dashboard.url.startswith("https://127.0.0.1:")
        login = f"{dashboard.url}/login"
        with urlopen(login, timeout=60, context=trusting) as answer:
            assert b"Password" in answer.read()
        with pytest.raises(
            OSError, match=r"reset|closed|disconnect|end of file|Remote"
        ):
            urlopen(login.replace("https", "http"), timeout=60)
        form = b"password=correct+horse+battery"
        asked = cookie_for(dashboard.url, trusting, form)
    assert "__Host-atomstream-" in asked
    assert "; Secure" in asked


def cookie_for(url: str, trusting: ssl.SSLContext, form: bytes) -> str:
    """The cookie that the form gets."""
    address = url.removeprefix("https://")
    line = HTTPSConnection(address, timeout=60, context=trusting)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    line.request("POST", "/login", form, kind)
    answer = line.getresponse()
    answer.read()
    line.close()
    return str(answer.headers["Set-Cookie"])
