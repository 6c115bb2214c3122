"""What the operator chose, and the file that remembers it."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from streamer.endpoint import Address
from streamer.errors import AtomstreamError, SettingsError

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
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        return settings_of(values), None
    except FileNotFoundError:
        return BridgeSettings(), None
    except (OSError, ValueError, AtomstreamError) as error:
        return BridgeSettings(), f"{file}: {error}; the settings are the usual ones"


def settings_of(values: object) -> BridgeSettings:
    """The settings in a JSON map; what it leaves out is as usual.

    Raises
    ------
    AtomstreamError
        A name that is unknown, or a value of another type or out of range.
    """
    if not isinstance(values, dict):
        raise SettingsError("expected a map of settings")
    usual = asdict(BridgeSettings())
    for name, value in values.items():
        if name not in usual:
            raise SettingsError(f"{str(name)[:80]!r} is no setting; there are "
                                + ", ".join(usual))  # fmt: skip
        usual[name] = _typed(name, value, type(usual[name]))
    return BridgeSettings(**usual)


def write_settings(file: Path, settings: BridgeSettings) -> None:
    """Remember `settings`; the file is whole at any time.

    Raises
    ------
    OSError
        It cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".part")
    fresh.write_text(json.dumps(asdict(settings), indent=1), encoding="utf-8")
    fresh.replace(file)


def _typed(name: str, value: object, kind: type) -> object:
    """`value`, which is of the type that setting `name` has."""
    if kind is tuple and isinstance(value, list):
        value = tuple(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    words = isinstance(value, tuple) and not all(isinstance(v, str) for v in value)
    if type(value) is not kind or words:
        raise SettingsError(f"{name} is {value!r:.80}, expected a {kind.__name__}")
    return value


NAMES = tuple(field.name for field in fields(BridgeSettings))
