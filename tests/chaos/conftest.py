"""Temporary."""

import json
import random
import socket
from contextlib import ExitStack, suppress

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true")


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--long"))


@pytest.fixture
def figures(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest):
    def write(**values: object) -> None:
        with capsys.disabled():
            print(json.dumps({"test": request.node.name, **values}))

    return write


@pytest.fixture
def tcp_url() -> str:
    """An address whose port and the one after it are free, and stay so."""
    while True:
        # Below those that outgoing connections take.
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), ExitStack() as stack:
            for number in (port, port + 1):
                stack.enter_context(socket.create_server(("127.0.0.1", number)))
            return f"tcp://127.0.0.1:{port}"
