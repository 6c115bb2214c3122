"""Wrong passwords cost time: for the address that they come from, and for all."""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE = 3
"""Wrong passwords from an address before it has to wait."""
LONGEST_WAIT_S = 60.0
FORGET_AFTER_S = 3600.0
MOST_ADDRESSES = 1000
"""Remembered at once; the one that was wrong longest ago is forgotten first."""

FREE_FOR_ALL = 60
"""Wrong passwords from all addresses together before all have to wait."""
FOR_ALL_PER_S = 0.2
"""How many of those are forgotten in a second."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """How often an address was wrong, and when last."""

    times: int = 0
    last_s: float = 0.0

    def wait_s(self, now_s: float) -> float:
        """Until the next password is looked at; twice as long each time."""
        if self.times < FREE:
            return 0.0
        doublings = min(self.times - FREE, 30)
        return self.last_s + min(2.0**doublings, LONGEST_WAIT_S) - now_s


class Throttle:
    """Says how long to wait before a password from an address is looked at.

    Parameters
    ----------
    clock_s
        Monotonic time in s.
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._wrong: OrderedDict[str, Wrong] = OrderedDict()
        self._of_all, self._counted_s = 0.0, clock_s()

    def wait_s(self, address: str) -> float:
        """For how long no password from `address` is looked at; 0 if it is."""
        of_address = self._wrong.get(network_of(address), Wrong())
        excess = self._wrong_of_all() - FREE_FOR_ALL + 1
        return max(0.0, of_address.wait_s(self._clock_s()), excess / FOR_ALL_PER_S)

    def wrong(self, address: str) -> None:
        """A password from `address` was looked at and is wrong."""
        network, now_s = network_of(address), self._clock_s()
        times = self._wrong.pop(network, Wrong()).times
        self._wrong[network] = Wrong(times + 1, now_s)
        self._forget(now_s)
        self._of_all, self._counted_s = self._wrong_of_all() + 1, now_s

    def right(self, address: str) -> None:
        """A password from `address` is right: nothing is held against it."""
        self._wrong.pop(network_of(address), None)

    def _wrong_of_all(self) -> float:
        """From all addresses together, less what is forgotten."""
        passed_s = self._clock_s() - self._counted_s
        return max(0.0, self._of_all - passed_s * FOR_ALL_PER_S)

    def _forget(self, now_s: float) -> None:
        """Let go of addresses that are too many, or were wrong too long ago."""
        while self._wrong:
            oldest = next(iter(self._wrong.values()))
            too_old = now_s - oldest.last_s > FORGET_AFTER_S
            if not too_old and len(self._wrong) <= MOST_ADDRESSES:
                return
            self._wrong.popitem(last=False)


def network_of(address: str) -> str:
    """What one guesser may be taken to own: an IPv4 address, or an IPv6 network /64."""
    try:
        number = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(number, ipaddress.IPv4Address):
        return str(number)
    if number.ipv4_mapped:
        return str(number.ipv4_mapped)
    return str(ipaddress.ip_network((number, 64), strict=False))
