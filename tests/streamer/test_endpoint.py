"""An address that cannot be used is refused in one clear line."""

import socket
from pathlib import Path

import pytest
import zmq

from streamer.errors import LinkError
from streamer.publisher import Publisher
from streamer.security import Plain

Context = zmq.Context[zmq.Socket[bytes]]
ANYWHERE = Plain(anywhere=True)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        pytest.param(
            "nonsense",
            "address 'nonsense', expected tcp://HOST:PORT or ipc://PATH",
            id="no address",
        ),
        pytest.param(
            "udp://127.0.0.1:5555",
            "address 'udp://127.0.0.1:5555', expected tcp://HOST:PORT or ipc://PATH",
            id="unknown transport",
        ),
        pytest.param(
            "tcp://127.0.0.1:65536",
            "port 65536 in tcp://127.0.0.1:65536, expected 1 to 65535",
            id="port out of range",
        ),
        pytest.param(
            "tcp://127.0.0.1:65535",
            "tcp://127.0.0.1:65535 leaves no next port for catch-up; "
            "choose a lower port",
            id="last port",
        ),
        pytest.param(
            "tcp://no-such-host.invalid:5555",
            "tcp://no-such-host.invalid:5555 names a host that is not known here; "
            "choose another address with --publish",
            id="unknown host",
        ),
        pytest.param(
            "tcp://192.0.2.1:5555",
            "tcp://192.0.2.1:5555 is not an address of this machine; choose another "
            "address with --publish",
            id="address of another machine",
        ),
        pytest.param(
            "ipc:///no/such/folder/live",
            "ipc:///no/such/folder/live lies in a folder that does not exist; choose "
            "another address with --publish",
            id="no folder",
        ),
        pytest.param(
            "ipc:///tmp/" + "x" * 120,
            f"ipc:///tmp/{'x' * 120} is too long for a socket; choose another address "
            "with --publish",
            id="long path",
        ),
    ],
)
def test_an_address_that_cannot_be_bound(
    context: Context, address: str, reason: str
) -> None:
    with pytest.raises(LinkError) as error:
        Publisher(context, address, security=ANYWHERE, option="--publish")
    assert str(error.value) == reason


def test_an_address_in_use(context: Context, url: str) -> None:
    with Publisher(context, url) as publisher:
        with pytest.raises(LinkError) as error:
            Publisher(context, publisher.url)
        assert str(error.value) == (
            f"{publisher.url} is in use by another program; "
            "choose another address with --bind"
        )


def test_a_port_whose_neighbour_is_in_use_is_given_back(
    context: Context, tcp_url: str
) -> None:
    port = int(tcp_url.rpartition(":")[2])
    with (
        socket.create_server(("127.0.0.1", port + 1)),
        pytest.raises(LinkError) as error,
    ):
        Publisher(context, tcp_url)
    assert str(error.value) == (
        f"tcp://127.0.0.1:{port + 1} is in use by another program; "
        "choose another address with --bind"
    )
    Publisher(context, tcp_url).close()


def test_a_file_that_a_dead_program_left_behind_is_no_hindrance(
    context: Context, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "live"))
    Publisher(context, f"ipc://{tmp_path}/live").close()
