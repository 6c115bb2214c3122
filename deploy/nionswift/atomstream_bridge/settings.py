"""What the operator chose about sending, and the file that remembers it."""

from dataclasses import dataclass
from pathlib import Path

from streamer.endpoint import Address
from streamer.errors import SettingsError

from .remembering import remember, remembered

DEFAULT_ADDRESS = "tcp://127.0.0.1:5555"
MIB = 2**20
LEAST_PARTIAL_S = 0.1
"""Nion Swift tells of a growing frame every 0.05 s."""


@dataclass(frozen=True, slots=True)
class BridgeSettings:
    """Checked when it is made.

    Raises
    ------
    AtomstreamError
        A value that makes no sense.
    """

    enabled: bool = True
    address: str = DEFAULT_ADDRESS
    """Where frames can be had; the port after it is for those who missed some."""
    key_folder: str = ""
    """CURVE keys, as `atomstream keys new` makes them; empty: none, this computer
    only."""
    channels: tuple[str, ...] = ()
    """Names of the detector signals to send; empty: all that are scanned."""
    partial_every_s: float = 0.0
    """How often a frame that is still being scanned is sent; 0: never."""
    retention_mib: int = 1024
    """How much is kept for those who missed it."""

    def __post_init__(self) -> None:
        Address.parse(self.address).catch_up()
        if self.partial_every_s and not LEAST_PARTIAL_S <= self.partial_every_s <= 3600:
            raise SettingsError(
                f"partial frames every {self.partial_every_s} s; expected 0 (never) or "
                f"{LEAST_PARTIAL_S} to 3600"
            )
        if not 1 <= self.retention_mib <= 2**20:
            raise SettingsError(f"{self.retention_mib} MiB kept; expected 1 to {2**20}")


def read_settings(file: Path) -> tuple[BridgeSettings, str | None]:
    """What is remembered, and what was wrong with it; the defaults where it was."""
    return remembered(file, BridgeSettings())


def write_settings(file: Path, settings: BridgeSettings) -> None:
    """Remember `settings`; the file is whole at any time.

    Raises
    ------
    OSError
        It cannot be written.
    """
    remember(file, settings)
