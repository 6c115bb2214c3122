"""Why a connection does not come about, as ZeroMQ tells it."""

import contextlib
from uuid import uuid4

import zmq
from zmq.utils.monitor import parse_monitor_message

NOT_ALLOWED = (
    "it does not allow this key; there: atomstream keys allow NAME KEY, with the KEY "
    "that `atomstream keys show` prints here"
)
OTHERWISE_PROTECTED = "one side has keys, the other has none; see --server-key"
BROKEN_OFF = "it breaks off the handshake; has it another --server-key?"

REASONS = {
    zmq.Event.HANDSHAKE_FAILED_AUTH: NOT_ALLOWED,
    zmq.Event.HANDSHAKE_FAILED_PROTOCOL: OTHERWISE_PROTECTED,
    zmq.Event.HANDSHAKE_FAILED_NO_DETAIL: BROKEN_OFF,
    zmq.Event.HANDSHAKE_SUCCEEDED: None,
}


class Handshakes:
    """How the handshakes of one connecting socket end."""

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        self._socket = socket
        address = f"inproc://handshakes-{uuid4().hex}"
        socket.monitor(address, sum(REASONS))
        self._told: zmq.Socket[bytes] = socket.context.socket(zmq.PAIR)
        # Without a limit, for a full queue would stop ZeroMQ's thread: a reader that
        # is away finds one event for each try, which is one a second.
        self._told.rcvhwm = 0
        self._told.connect(address)
        self._reason: str | None = None

    def failure(self) -> str | None:
        """Why the last handshake failed; None when it did not."""
        with contextlib.suppress(zmq.Again):
            while True:
                parts = self._told.recv_multipart(zmq.NOBLOCK)
                event = zmq.Event(parse_monitor_message(parts)["event"])
                self._reason = REASONS.get(event)
        return self._reason

    def close(self) -> None:
        """Listen no more; to be called before the socket is closed."""
        self._socket.disable_monitor()
        self._told.close(0)
