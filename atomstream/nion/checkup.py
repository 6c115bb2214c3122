"""What `doctor --nion` examines: why nothing comes from Nion Swift."""

import socket
import time
from collections.abc import Iterator

import zmq

from atomstream.checkup import Finding, Verdict, source
from streamer.attending import UNHEARD_S
from streamer.endpoint import Address, open_socket, receive
from streamer.errors import AtomstreamError
from streamer.messages import HEARTBEAT_TOPIC, FeedState, Heartbeat
from streamer.security import Connecting
from streamer.wire import PARTS, unpack

CONNECT_S = 3.0
LISTEN_S = 4.0
"""A few heartbeats."""
HEARTBEAT_BYTES = 256 * 1024
PANEL = "Nion Swift's panel atomstream (menu Window)"


def examine_nion(url: str, security: Connecting) -> list[Finding]:
    """Findings, as far as there is something to be found; does not raise."""
    findings = []
    for finding in _findings(url, security):
        findings.append(finding)
        if finding.verdict is Verdict.BAD:
            break
    return findings


def _findings(url: str, security: Connecting) -> Iterator[Finding]:
    yield listens(Address.parse(url))
    yield source(url, security, UNHEARD_S + 2)
    yield scans(url, security)


def listens(address: Address) -> Finding:
    """Whether any program is there at all."""
    what = "address"
    if address.port is None:
        return Finding(Verdict.GOOD, what, f"{address.url} is a file")
    try:
        socket.create_connection(
            (address.host.strip("[]"), address.port), CONNECT_S
        ).close()
    except ConnectionRefusedError:
        found = (
            f"nothing listens at {address.url}: is Nion Swift running, and does "
            f"{PANEL} say that it sends there? If there is no such panel, the plug-in "
            "is not loaded: Nion Swift's log says why"
        )
    except OSError as error:
        found = f"{address.url} cannot be reached ({error}); is a firewall between?"
    else:
        return Finding(Verdict.GOOD, what, f"something listens at {address.url}")
    return Finding(Verdict.BAD, what, found)


def scans(url: str, security: Connecting) -> Finding:
    """Whether frames are being made, by two heartbeats of the publisher."""
    what = "scan"
    try:
        beats = list(_heartbeats(url, security))
    except AtomstreamError as error:
        return Finding(Verdict.BAD, what, str(error))
    if not beats:
        return Finding(
            Verdict.BAD, what, f"no heartbeat from {url} in {LISTEN_S:.0f} s"
        )
    before = {state.feed: state.newest for state in beats[0].feeds}
    feeds = beats[-1].feeds
    running = [state for state in feeds if state.total is None]
    grown = [state for state in running
             if state.newest > before.get(state.feed, -1)]  # fmt: skip
    if grown:
        return Finding(Verdict.GOOD, what, f"new frames of {_said(grown)}")
    if running:
        found = (
            f"no new frame in {LISTEN_S:.0f} s of {_said(running)}: a frame of "
            "1024 x 1024 pixels takes half a minute, and is sent when it is complete"
        )
        return Finding(Verdict.POOR, what, found)
    if feeds:
        found = f"nothing is scanned now; there was {_said(list(feeds))}. Start a scan"
        return Finding(Verdict.POOR, what, found)
    found = (
        "the plug-in is there, and nothing was scanned since it was switched on: "
        f"start a scan. If one runs, {PANEL} says what it listens to, and which "
        "channels are sent"
    )
    return Finding(Verdict.POOR, what, found)


def _said(feeds: list[FeedState]) -> str:
    return ", ".join(
        f"{state.feed.stream.source} {state.feed.stream.channel} "
        f"({state.newest + 1} frames)"
        for state in feeds[-4:]
    )


def _heartbeats(url: str, security: Connecting) -> Iterator[Heartbeat]:
    """All of the next few seconds."""
    with zmq.Context() as context:
        heard = open_socket(
            context,
            zmq.SUB,
            Address.parse(url),
            security=security,
            queue=8,
            message_bytes=HEARTBEAT_BYTES,
        )
        with heard:
            heard.subscribe(HEARTBEAT_TOPIC)
            heard.connect(url)
            deadline = time.monotonic() + LISTEN_S
            while (left_s := deadline - time.monotonic()) > 0:
                if not heard.poll(round(left_s * 1000)):
                    return
                message = unpack(receive(heard, PARTS) or []).message
                if isinstance(message, Heartbeat):
                    yield message
