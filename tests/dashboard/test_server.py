import re
import socket
import threading
import time
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import urlopen

import pytest

from dashboard.access.terms import Access
from dashboard.hub import Hub
from dashboard.server import Dashboard
from streamer.errors import LinkError, SettingsError


@pytest.fixture
def hub() -> Hub:
    return Hub("here", time.monotonic)


def get(url: str) -> tuple[str, str]:
    """Content type and text of what is at `url`."""
    with urlopen(url, timeout=20) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def test_a_page_can_be_opened_as_soon_as_the_server_has_started(hub: Hub) -> None:
    with Dashboard(hub, port=0) as dashboard:
        kind, html = get(dashboard.url)
    assert kind == "text/html"
    assert "<title>atomstream</title>" in html


def test_every_address_in_the_page_is_one_of_this_server(hub: Hub) -> None:
    with Dashboard(hub, port=0) as dashboard:
        _, html = get(dashboard.url)
        linked = re.findall(r'(?:src|href)="([^"]+)"', html)
        assert len(linked) > 5
        assert [link for link in linked if re.match(r"(\w+:)?//", link)] == []
        for link in linked:
            assert get(urljoin(dashboard.url, link))[1]


def test_files_beside_the_page_stay_closed(hub: Hub) -> None:
    with (
        Dashboard(hub, port=0) as dashboard,
        pytest.raises(HTTPError, match=r"40[34]"),
    ):
        get(f"{dashboard.url}/assets/..%2Fserver.py")


@pytest.mark.timeout(30)
def test_whatever_keeps_a_server_from_starting_is_said_and_nothing_is_left(
    hub: Hub,
) -> None:
    threads = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    access = Access(secret="no bytes")  # type: ignore[arg-type] # fails while opening
    with pytest.raises(TypeError):
        Dashboard(hub, port=port, access=access).start()
    assert threading.active_count() == threads
    socket.create_server(("127.0.0.1", port)).close()


def test_a_port_that_is_taken_is_one_clear_line(hub: Hub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LinkError) as caught:
            Dashboard(hub, port=port).start()
    assert str(caught.value) == (
        f"port {port} at 127.0.0.1 is taken by another program; "
        "stop that, or choose another port for the dashboard"
    )


def test_an_address_of_another_computer_is_one_clear_line(hub: Hub) -> None:
    with pytest.raises(
        LinkError, match=r"^the dashboard cannot listen at 192\.0\.2\.1: .+$"
    ):
        Dashboard(hub, "192.0.2.1", 0, access=Access(insecure=True)).start()


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.5", "::", "", "lab-pc"])
def test_other_computers_are_kept_out_unless_asked_for(hub: Hub, address: str) -> None:
    written = "[::]" if address == "::" else address
    with pytest.raises(SettingsError) as caught:
        Dashboard(hub, address)
    assert str(caught.value) == (
        f"the page at {written} could be opened by everybody in the network: give "
        "--password-file FILE, or --insecure if they all may"
    )


def test_other_computers_are_let_in_when_asked_for(hub: Hub) -> None:
    with Dashboard(hub, "0.0.0.0", 0, access=Access(insecure=True)) as dashboard:
        port = dashboard.url.rsplit(":")[-1]
        assert get(f"http://127.0.0.1:{port}")[1]


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1"])
def test_this_computer_is_reached_by_each_of_its_own_names(
    hub: Hub, address: str
) -> None:
    if address == "::1" and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with Dashboard(hub, address, 0) as dashboard:
        assert get(dashboard.url)[1]


def test_a_port_is_free_again_after_the_server_has_stopped(hub: Hub) -> None:
    with Dashboard(hub, port=0) as first:
        url = first.url
    with Dashboard(hub, port=int(url.rsplit(":")[-1])) as second:
        assert second.url == url


def test_stopping_twice_is_once(hub: Hub) -> None:
    with Dashboard(hub, port=0) as dashboard:
        dashboard.stop()
