"""What the operator chose about results, which are shown in Nion Swift if wanted."""

from dataclasses import dataclass
from pathlib import Path

from streamer.endpoint import Address
from streamer.errors import SecurityError, SettingsError
from streamer.keys import KeyFolder, public_key
from streamer.security import PLAIN, Connecting, CurveClient

DEFAULT_ADDRESS = "tcp://127.0.0.1:5557"
"""Where `atomstream serve` publishes analyses."""
ATOMS, ORIENTATION, CRYSTALLINITY = "atoms", "orientation", "crystallinity"
VIEWS = (ATOMS, ORIENTATION, CRYSTALLINITY)
"""The frame with its atoms; atoms coloured by their angle; or by their order."""


@dataclass(frozen=True, slots=True)
class ResultsSettings:
    """Checked when it is made.

    Raises
    ------
    AtomstreamError
        A value that makes no sense.
    """

    enabled: bool = False
    address: str = DEFAULT_ADDRESS
    """Where a service publishes its analyses."""
    key_folder: str = ""
    """One's own CURVE keys, of which the service allows the public one."""
    server_key: str = ""
    """Public key of the service, or a file that holds it; empty: it is on this
    computer and sends in the clear."""
    view: str = ATOMS
    """One of `VIEWS`."""

    def __post_init__(self) -> None:
        address = Address.parse(self.address)
        if address.port == 0 or address.host in ("*", "0.0.0.0"):
            raise SettingsError(
                f"{self.address} is no address to connect to; expected that of the "
                "service, tcp://HOST:PORT"
            )
        if self.view not in VIEWS:
            raise SettingsError(
                f"{self.view[:80]!r} cannot be shown; expected {', '.join(VIEWS)}"
            )


def security_of(settings: ResultsSettings) -> Connecting:
    """How the service is connected to; reads files.

    Raises
    ------
    SecurityError
        A key is missing or damaged, or the address needs one.
    """
    if not settings.server_key:
        if not Address.parse(settings.address).is_local:
            raise SecurityError(
                f"{settings.address} is not on this computer: its public key is "
                "needed, and a key folder of this one (docs/nion.md)"
            )
        return PLAIN
    if not settings.key_folder:
        raise SecurityError("with the service's public key a key folder is needed")
    folder = KeyFolder(Path(settings.key_folder).expanduser())
    folder.private()
    return CurveClient(folder, public_key(settings.server_key))
