"""Chromium without a window, asked through its own debugging port."""

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from streamer.errors import LinkError, SettingsError

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--window-size=1440,900",
    "--remote-debugging-port=0",
)
STARTS_WITHIN_S = 30.0
MOST_BYTES = 2**26


def find_chromium() -> str | None:
    """The program, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Tab:
    """The one page that a browser has open."""

    socket: WebSocketClientConnection
    numbers: "count[int]"

    async def ask(self, method: str, params: dict[str, object]) -> dict[str, Any]:
        """One command of the Chrome DevTools Protocol, and its answer.

        Raises
        ------
        LinkError
            The browser is gone, or refuses.
        """
        number = next(self.numbers)
        said = {"id": number, "method": method, "params": params}
        await self.socket.write_message(json.dumps(said))
        while True:
            heard = await self.socket.read_message()
            if heard is None:
                raise LinkError("Chromium has closed the connection")
            answer: dict[str, Any] = json.loads(heard)
            if answer.get("id") == number:
                if "error" in answer:
                    raise LinkError(f"Chromium: {answer['error'].get('message')}")
                result: dict[str, Any] = answer["result"]
                return result

    async def evaluate(self, expression: str) -> Any:  # noqa: ANN401 # as JavaScript has it
        """The value of `expression`, waited for where it is a promise.

        Raises
        ------
        LinkError
            It throws.
        """
        params: dict[str, object] = {
            "expression": expression,
            "awaitPromise": True,
            "returnByValue": True,
        }
        result = await self.ask("Runtime.evaluate", params)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            said = details.get("exception", {}).get("description", details["text"])
            raise LinkError(f"Chromium: {said}")
        return result["result"].get("value")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Tab]:
    """A browser that has been told to open `url`; gone after the block.

    Raises
    ------
    SettingsError
        There is no Chromium, or it does not start.
    """
    program = find_chromium()
    if program is None:
        raise SettingsError("needs Chromium: apt-get install chromium")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        subprocess.Popen(
            [program, *ARGUMENTS, f"--user-data-dir={profile}", url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        try:
            socket = await _connect(await _port(Path(profile)))
            yield Tab(socket, count(1))
            socket.close()
        finally:
            process.kill()


async def _port(profile: Path) -> int:
    """Where a browser that has just been started can be asked."""
    told = profile / "DevToolsActivePort"
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline_s:
        if told.exists() and (lines := told.read_text(encoding="ascii").split()):
            return int(lines[0])
        await asyncio.sleep(0.05)
    raise SettingsError("Chromium does not start")


async def _connect(port: int) -> WebSocketClientConnection:
    listed = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/json/list")
    tabs = json.loads(listed.body)
    page = next(tab for tab in tabs if tab["type"] == "page")
    return await websocket_connect(
        page["webSocketDebuggerUrl"], max_message_size=MOST_BYTES
    )
