"""A viewer without eyes: it takes all that a browser takes, and draws nothing."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from streamer.errors import LinkError

TOKEN = re.compile(r'"token":"([^"]+)"')
MOST_BYTES = 2**28


@dataclass
class Viewer:
    """One open page. Says of each update at once that it is painted."""

    socket: WebSocketClientConnection
    state_id: str = ""
    sent: int = 0
    """Number of the newest update."""
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
        """Wait for one whole update, paint it; returns its bytes."""
        begin, before = self.received, self.sent
        while self.sent == before:
            _, content = await self._hear()
            for event in content.get("events", []):
                if event.get("model", {}).get("id") == self.state_id:
                    self.sent = event["new"] if event["attr"] == "sent" else self.sent
        await self.paint()
        return self.received - begin

    async def paint(self) -> None:
        """Say that all that was sent is on the screen."""
        event = {
            "kind": "ModelChanged",
            "model": {"id": self.state_id},
            "attr": "painted",
            "new": self.sent,
        }
        await self._say("PATCH-DOC", {"events": [event]})

    async def _load(self) -> None:
        await self._hear()
        await self._say("PULL-DOC-REQ", {})
        _, reply = await self._hear()
        state = page_state(reply)
        self.state_id, self.sent = state["id"], state["attributes"]["sent"]
        await self.paint()

    async def _say(self, kind: str, content: object) -> None:
        for part in ({"msgid": "1", "msgtype": kind}, {}, content):
            await self.socket.write_message(json.dumps(part))

    async def _hear(self) -> tuple[str, dict[str, Any]]:
        """The next message: its type and its content."""
        header = json.loads(await self._part())
        await self._part()
        content = json.loads(await self._part())
        for _ in range(2 * header.get("num_buffers", 0)):
            await self._part()
        return header["msgtype"], content

    async def _part(self) -> str | bytes:
        part = await self.socket.read_message()
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
