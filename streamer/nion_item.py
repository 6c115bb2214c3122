"""What Nion Swift writes beside its arrays, in .ndata, .h5, .nhdf and .tif.

Names are those of `DataItem` properties; older versions leave out what is zero, one or
empty, and the TIFF export uses names of its own for two of them.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from streamer.errors import StackError
from streamer.frame import Completeness, JsonValue
from streamer.metadata import bounded
from streamer.session.acquisition import Acquisition
from streamer.units import length_nm, pixel_side_nm, time_s

MAX_NAME = 100
NS_PER_S = 1_000_000_000
MAX_NS = 2**63

Map: TypeAlias = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of one axis: what stands at the edge of its first pixel, and a pixel's size."""

    offset: float
    scale: float
    units: str


@dataclass(frozen=True, slots=True)
class NionItem:
    """A data item of Nion Swift: an image, or a stack of them."""

    channels: tuple[str, ...]
    """Name of its detector signal; none if it does not say."""
    sides_nm: tuple[float, float] | None
    """(height, width) of a pixel; None if it is not calibrated in a length."""
    origin_nm: tuple[float, float]
    dwell_time_us: float | None
    exposure_s: float | None
    """Time of one scan without its fly-back."""
    period_s: float | None
    """From frame to frame of a stack that is calibrated in time."""
    finished_ns: int | None
    """When the item was written, UTC: the end of its last frame."""
    valid_rows: int | None
    """Rows that had been scanned when a scan was broken off; None for all."""
    metadata: Map

    def acquisition(
        self, count: int, pixel_size_nm: float | None
    ) -> Callable[[int], Acquisition]:
        """How each of `count` frames was made.

        Times are known for a single image, and for a stack that is calibrated in
        time: then the item was written at the end of its last frame.
        """
        whole = self.valid_rows is None
        completeness = Completeness.COMPLETE if whole else Completeness.ABORTED

        def at(index: int) -> Acquisition:
            start_ns, end_ns = self._times_ns(index, count)
            return Acquisition(
                pixel_size_nm=pixel_size_nm,
                origin_nm=self.origin_nm,
                start_ns=start_ns,
                end_ns=end_ns,
                dwell_time_us=self.dwell_time_us,
                completeness=completeness,
                valid_rows=-1 if self.valid_rows is None else self.valid_rows,
                metadata=self.metadata,
            )

        return at

    def _times_ns(self, index: int, count: int) -> tuple[int | None, int | None]:
        """Start and end of frame `index` of `count`."""
        if self.finished_ns is None or (count > 1 and self.period_s is None):
            return None, None
        frames_later = count - 1 - index
        end_ns = self.finished_ns - _ns(frames_later * (self.period_s or 0))
        lasted_s = self.exposure_s or self.period_s
        return (None if lasted_s is None else end_ns - _ns(lasted_s)), end_ns


def read_item(record: JsonValue, shape: tuple[int, ...], name: str) -> NionItem:
    """What the properties of an item say of its array of `shape`.

    Raises
    ------
    StackError
        It is not an image or a stack of images, but spectra or a map of images.
    """
    item = _map(record)
    _check_images(item, name)
    metadata = _map(item.get("metadata")) or {"hardware_source": item.get("properties")}
    hardware = _map(metadata.get("hardware_source"))
    axes = _calibrations(item)
    sides_nm = _sides_nm(axes) or _from_field_of_view(_map(metadata.get("scan")), shape)
    return NionItem(
        channels=_names(hardware.get("channel_name")),
        sides_nm=sides_nm,
        origin_nm=_origin_nm(axes, sides_nm),
        dwell_time_us=_positive(hardware.get("pixel_time_us")),
        exposure_s=_positive(hardware.get("exposure")),
        period_s=_period_s(axes),
        finished_ns=_finished_ns(item),
        valid_rows=_valid_rows(hardware, shape),
        metadata=bounded(dict(metadata)),
    )


def _check_images(item: Map, name: str) -> None:
    stacked = int(bool(item.get("is_sequence"))) + _integer(
        item.get("collection_dimension_count"), 0
    )
    datum = _integer(item.get("datum_dimension_count"), 2)
    if datum != 2:
        raise StackError(
            f"{name} holds {datum}-dimensional data; a frame has 2 dimensions"
        )
    if stacked > 1:
        raise StackError(
            f"{name} holds images along {stacked} axes; a stack has them along one"
        )


def _calibrations(item: Map) -> list[Calibration]:
    """One for each axis of the array; none if they are not those of images."""
    given = item.get("dimensional_calibrations") or item.get("spatial_calibrations")
    if not isinstance(given, list) or len(given) not in (2, 3):
        return []
    return [
        Calibration(
            offset=_real(axis.get("offset"), 0.0),
            scale=_real(axis.get("scale"), 1.0),
            units=str(axis.get("units") or ""),
        )
        for axis in map(_map, given)
    ]


def _sides_nm(axes: list[Calibration]) -> tuple[float, float] | None:
    if not axes:
        return None
    height, width = (pixel_side_nm(axis.scale, axis.units) for axis in axes[-2:])
    return (height, width) if height and width else None


def _from_field_of_view(
    scan: Map, shape: tuple[int, ...]
) -> tuple[float, float] | None:
    """Sides from the field of view, which is that of the longer side of the scan."""
    field_nm = _positive(scan.get("fov_nm"))
    # The field is that of the whole scan also when only a part of it was scanned.
    if field_nm is None or "subscan_fractional_size" in scan:
        return None
    side_nm = field_nm / max(shape[-2:])
    return side_nm, side_nm


def _origin_nm(
    axes: list[Calibration], sides_nm: tuple[float, float] | None
) -> tuple[float, float]:
    """(x, y) of the centre of the first pixel; Nion's offset is that of its corner."""
    if not axes or sides_nm is None:
        return 0.0, 0.0
    y, x = (length_nm(axis.offset, axis.units) or 0.0 for axis in axes[-2:])
    origin = x + sides_nm[1] / 2, y + sides_nm[0] / 2
    return origin if all(map(math.isfinite, origin)) else (0.0, 0.0)


def _period_s(axes: list[Calibration]) -> float | None:
    if len(axes) != 3:
        return None
    return _positive(time_s(axes[0].scale, axes[0].units))


def _valid_rows(hardware: Map, shape: tuple[int, ...]) -> int | None:
    rows = _integer(hardware.get("valid_rows"), shape[-2])
    # Of a stack it would be one number for all frames.
    single = math.prod(shape[:-2]) == 1
    return rows if single and 0 <= rows < shape[-2] else None


def _finished_ns(item: Map) -> int | None:
    stamp = item.get("timestamp") or item.get("data_modified") or item.get("created")
    if isinstance(stamp, str):
        moment = datetime.fromisoformat(stamp)
        # Nion writes UTC and does not say so.
        stamp = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    seconds = _positive(stamp)
    # A float of this size is good to a microsecond, and no better.
    ns = None if seconds is None else round(seconds * 1e6) * 1000
    return ns if ns is not None and ns < MAX_NS else None


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_S)


def _map(value: JsonValue) -> Map:
    return value if isinstance(value, dict) else {}


def _names(value: JsonValue) -> tuple[str, ...]:
    return (value[:MAX_NAME],) if isinstance(value, str) and value else ()


def _real(value: JsonValue, default: float) -> float:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if real and isinstance(value, int | float) else default


def _positive(value: JsonValue) -> float | None:
    """A number that a length or a time can be; None for anything else."""
    number = _real(value, math.nan)
    return number if math.isfinite(number) and number > 0 else None


def _integer(value: JsonValue, default: int) -> int:
    return value if isinstance(value, int) else default
