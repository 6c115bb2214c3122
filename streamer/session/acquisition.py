"""How a frame was made: all of it but its pixels and its place in a stream."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from streamer.frame import Completeness, Frame, JsonValue, Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """What a file remembers of a frame: fields, units and defaults of `Frame`."""

    pixel_size_nm: float | None = None
    origin_nm: tuple[float, float] = (0.0, 0.0)
    start_ns: int | None = None
    end_ns: int | None = None
    dwell_time_us: float | None = None
    dose_e_nm2: float | None = None
    completeness: Completeness = Completeness.COMPLETE
    valid_rows: int = -1
    metadata: Mapping[str, JsonValue] = field(
        default_factory=lambda: MappingProxyType({})
    )

    @classmethod
    def of(cls, frame: Frame) -> "Acquisition":
        """How `frame` was made."""
        return cls(**{name: getattr(frame, name) for name in NAMES})

    def frame(self, stream: Stream, seq: int, image: NDArray[np.generic]) -> Frame:
        """Frame that was made so.

        Raises
        ------
        FrameError
            The image or a value cannot be a frame's.
        """
        values = {name: getattr(self, name) for name in NAMES}
        return Frame(stream, seq, image, **values)

    def to_json(self) -> dict[str, JsonValue]:
        """Values that `from_json` turns back into this."""
        values = {name: getattr(self, name) for name in NAMES}
        return values | {
            "origin_nm": list(self.origin_nm),
            "metadata": dict(self.metadata),
        }

    @classmethod
    def from_json(cls, record: JsonValue) -> "Acquisition":
        """Rebuild from `to_json`.

        Raises
        ------
        ValueError
            Not a map, or a value of another type.
        """
        if not isinstance(record, dict) or set(record) != set(NAMES):
            raise ValueError(f"a record of how a frame was made has {', '.join(NAMES)}")
        return cls(
            pixel_size_nm=_real(record["pixel_size_nm"]),
            origin_nm=_pair(record["origin_nm"]),
            start_ns=_integer(record["start_ns"]),
            end_ns=_integer(record["end_ns"]),
            dwell_time_us=_real(record["dwell_time_us"]),
            dose_e_nm2=_real(record["dose_e_nm2"]),
            completeness=Completeness(str(record["completeness"])),
            valid_rows=_integer(record["valid_rows"]) or 0,
            metadata=_map(record["metadata"]),
        )


NAMES = tuple(field.name for field in fields(Acquisition))


def _real(value: JsonValue) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _integer(value: JsonValue) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _pair(value: JsonValue) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{value!r} is not a pair of numbers")
    x, y = (_real(part) for part in value)
    if x is None or y is None:
        raise ValueError(f"{value!r} is not a pair of numbers")
    return x, y


def _map(value: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not a map")
    return value
