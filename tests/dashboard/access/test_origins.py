import socket

import pytest

from dashboard.access.origins import origin_of, own_origins, parse_origin
from streamer.errors import SettingsError


@pytest.mark.parametrize(
    ("header", "origin"),
    [
        ("http://lab:5006", "lab:5006"),
        ("HTTP://Lab:5006", "lab:5006"),
        ("https://lab", "lab:443"),
        ("http://lab", "lab:80"),
        ("http://[::1]:5006", "[::1]:5006"),
        ("http://lab:5006@evil.example", "evil.example:80"),
        ("null", None),
        ("", None),
        ("lab:5006", None),
        ("file://", None),
        ("http://lab:99999", None),
        ("http://lab:port", None),
        ("http://[::1", None),
    ],
)
def test_an_origin_is_read_as_browsers_write_it(
    header: str, origin: str | None
) -> None:
    assert origin_of(header) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lab",
        "lab:",
        ":5006",
        "*:5006",
        "lab:0",
        "lab:65536",
        "http://lab:5006",
        "a b:1",
    ],
)
def test_what_is_no_origin_cannot_be_allowed(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^--allow-origin .*: expected HOST:PORT"):
        parse_origin(text)


def test_a_server_of_this_computer_has_its_three_names() -> None:
    names = {"localhost:1", "127.0.0.1:1", "[::1]:1"}
    assert own_origins("127.0.0.1", 1) == names
    assert own_origins("localhost", 1) == names


def test_a_server_at_one_address_has_that() -> None:
    assert own_origins("192.0.2.7", 1) == {"192.0.2.7:1"}
    assert own_origins("Lab-PC", 1) == {"lab-pc:1"}
    assert own_origins("2001:db8::7", 1) == {"[2001:db8::7]:1"}


@pytest.mark.parametrize("address", ["0.0.0.0", "::", ""])
def test_a_server_of_all_addresses_has_the_names_of_the_computer(address: str) -> None:
    names = own_origins(address, 1)
    assert {"localhost:1", f"{socket.gethostname().lower()}:1"} <= names
    assert not any("*" in name or name.startswith("0.0.0.0") for name in names)
