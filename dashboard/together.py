"""What changes together travels together.

Bokeh makes a message of each property that changes, and goes through all models of the
page for each message: of a page like ours that is a third of all that an update takes.
One message may as well hold all changes, and the browser takes them in order.
"""

import asyncio
from itertools import groupby
from typing import Any

from bokeh.document import Document
from bokeh.document.events import DocumentPatchedEvent
from bokeh.io.doc import patch_curdoc
from bokeh.protocol import Protocol
from bokeh.protocol.message import Message
from bokeh.server.contexts import BokehSessionContext
from bokeh.server.session import ServerSession, _PendingPatch


def send_together(doc: Document) -> None:
    """From now on, send what one callback changes in `doc` as one message."""
    context = doc.session_context
    if not isinstance(context, BokehSessionContext) or context.session is None:
        return
    session = context.session

    async def send(pending: list[_PendingPatch]) -> None:
        await _send(session, pending)

    # Bokeh has no other place for this, and is pinned to one minor version.
    session._send_pending_patches = send  # type: ignore[method-assign]  # noqa: SLF001


async def _send(session: ServerSession, pending: list[_PendingPatch]) -> None:
    for connections, patches in groupby(pending, lambda patch: patch.connections):
        events = [patch.event for patch in patches]
        protocol = pending[0].protocol
        message = await asyncio.to_thread(_message, protocol, session.document, events)
        for connection in connections:
            await connection.send_message(message)


def _message(
    protocol: Protocol, doc: Document, events: list[DocumentPatchedEvent]
) -> Message[Any]:
    with patch_curdoc(doc):
        message: Message[Any] = protocol.create("PATCH-DOC", events)
        message.prepare()
    return message
