"""Commands and karabo-bridges: which can have one, and what it does to others."""

from collections.abc import Iterable

from streamer.errors import SettingsError
from streamer.karabo.address import KaraboAddress, Pattern, is_karabo


def refuse_bridges(urls: Iterable[str], why: str) -> None:
    """Refuse karabo-bridges where one makes no sense.

    Raises
    ------
    SettingsError
        One of `urls` is a karabo-bridge; `why` says what to do instead.
    """
    for url in urls:
        if is_karabo(url):
            raise SettingsError(f"{url} is a karabo-bridge: {why}")


def shared_in_words(url: str) -> str | None:
    """What whoever listens there takes away from others; None if nothing."""
    if not is_karabo(url) or KaraboAddress.parse(url).pattern is Pattern.SUB:
        return None
    return (
        f"{url}: a train that comes here goes to nobody else; a service that listens "
        "there too will miss it"
    )
