"""A viewer without eyes: it takes all that a browser takes, and draws nothing."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from streamer.errors import LinkError

TOKEN = re.compile(r'"token":"([^"]+)"')
MOST_BYTES = 2**28
WITHIN_S = 60.0
"""How long the server may say nothing while it is listened to."""


@dataclass
class Viewer:
    """One open page; it says that it has painted when it is told to."""

    socket: WebSocketClientConnection
    state_id: str = ""
    told: dict[str, Any] = field(default_factory=dict)
    """Newest value of each property of the page's state."""
    received: int = 0
    """Bytes, since the page was opened."""

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Self]:
        """A viewer that has loaded the page and what is on it.

        Raises
        ------
        LinkError
            It is no page of this project.
        """
        html = (await AsyncHTTPClient().fetch(url)).body.decode()
        token = TOKEN.search(html)
        if token is None:
            raise LinkError(f"no page of atomstream at {url}")
        socket = await websocket_connect(
            HTTPRequest(url.replace("http", "ws", 1) + "/ws"),
            subprotocols=["bokeh", token[1]],
            max_message_size=MOST_BYTES,
        )
        viewer = cls(socket)
        await viewer._load()
        try:
            yield viewer
        finally:
            socket.close()
            while await socket.read_message():
                pass

    async def update(self) -> int:
        """Wait for one whole update; returns its bytes."""
        begin, before = self.received, self.told["sent"]
        while self.told["sent"] == before:
            _, content = await self.hear()
            for event in content.get("events", []):
                if event.get("model", {}).get("id") == self.state_id:
                    self.told[event["attr"]] = event["new"]
        return self.received - begin

    async def paint(self) -> None:
        """Say that all that was sent is on the screen."""
        await self.set("painted", self.told["sent"])

    async def set(self, name: str, value: object) -> None:
        """Change a property of the page's state, as the browser does."""
        model = {"id": self.state_id}
        event = {"kind": "ModelChanged", "model": model, "attr": name, "new": value}
        await self.say("PATCH-DOC", {"events": [event]})

    async def say(self, kind: str, content: object) -> None:
        """A message of Bokeh's protocol."""
        for part in ({"msgid": "1", "msgtype": kind}, {}, content):
            await self.socket.write_message(json.dumps(part))

    async def hear(self) -> tuple[str, dict[str, Any]]:
        """The next message: its type and its content.

        Raises
        ------
        LinkError
            The server is gone, or says nothing for `WITHIN_S`.
        """
        header = json.loads(await self._part())
        await self._part()
        content = json.loads(await self._part())
        for _ in range(2 * header.get("num_buffers", 0)):
            await self._part()
        return header["msgtype"], content

    async def _load(self) -> None:
        await self.hear()
        await self.say("PULL-DOC-REQ", {})
        _, reply = await self.hear()
        state = page_state(reply)
        self.state_id, self.told = state["id"], state["attributes"]

    async def _part(self) -> str | bytes:
        try:
            part = await asyncio.wait_for(self.socket.read_message(), WITHIN_S)
        except TimeoutError as error:
            raise LinkError(
                f"the page's server is silent for {WITHIN_S:g} s"
            ) from error
        if part is None:
            raise LinkError("the page's server has closed the connection")
        self.received += len(part)
        return part


def page_state(reply: object) -> dict[str, Any]:
    """The page's state, wherever it stands in a document."""
    found: list[dict[str, Any]] = []

    def look(at: object) -> None:
        if isinstance(at, dict):
            if str(at.get("name", "")).endswith("PageState") and "attributes" in at:
                found.append(at)
            for value in at.values():
                look(value)
        elif isinstance(at, list):
            for value in at:
                look(value)

    look(reply)
    if not found:
        raise LinkError("a page without a state: another version of atomstream?")
    return found[0]
