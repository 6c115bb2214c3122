"""One event of Nion Swift in plain values, read while the event lasts.

Nothing here needs Nion's packages: what is read are attributes and maps.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from streamer.frame import JsonValue

from .nion_objects import DataAndMetadata, DataChannelEventArgs

COMPLETE = "complete"
GROWING = ("partial", "marked")
"""Still being scanned; marked: and the operator has pressed stop."""
DEEPEST = 16
GEOMETRY = (
    "fov_nm",
    "rotation",
    "subscan_fractional_size",
    "subscan_fractional_center",
)
"""What makes the next frame one of another run; a drift of the centre does not."""


@dataclass(frozen=True, slots=True)
class Update:
    """What has become of one channel's frame."""

    channel_id: str
    """Unique within the source; a subscan has one of its own."""
    channel: str
    state: str
    """`complete`, one of `GROWING`, or `error`."""
    shape: tuple[int, ...]
    valid_rows: int
    """Rows scanned so far, by the word of the device."""
    scan_id: str
    """Of this frame, the same for all channels."""
    frame_index: int
    """Of this frame; begins again with each acquisition."""
    recording: str
    """What tells a recording from the view that it interrupts; empty for a view."""
    geometry: tuple[object, ...]
    record: Mapping[str, JsonValue]
    """What `streamer.nion_item.read_item` reads: calibration, time, metadata."""


def read_update(args: DataChannelEventArgs, xdata: DataAndMetadata) -> Update:
    """The arguments of a `data_channel_updated_event`."""
    metadata = plain(xdata.metadata)
    assert isinstance(metadata, dict)
    hardware, scan = _map(metadata.get("hardware_source")), _map(metadata.get("scan"))
    shape = tuple(int(side) for side in xdata.data_shape)
    return Update(
        channel_id=str(args.data_channel_id or args.channel_id or ""),
        channel=str(args.name or args.channel_id or "signal"),
        state=str(args.state),
        shape=shape,
        valid_rows=_whole(hardware.get("valid_rows"), 0),
        scan_id=str(scan.get("scan_id") or ""),
        frame_index=_whole(hardware.get("frame_index"), 0),
        recording=str(hardware.get("view_id") or ""),
        geometry=(shape, *(repr(scan.get(name)) for name in GEOMETRY)),
        record={
            "dimensional_calibrations": [
                {"offset": float(c.offset), "scale": float(c.scale), "units": c.units}
                for c in xdata.dimensional_calibrations
            ],
            "timestamp": xdata.timestamp.isoformat(),
            "metadata": metadata,
        },
    )


def plain(value: object, depth: int = 0) -> JsonValue:
    """`value` in the words of JSON; what has none there, as text."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if depth < DEEPEST and isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if depth < DEEPEST and isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    return str(value)


def _map(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _whole(value: JsonValue, default: int) -> int:
    return int(value) if isinstance(value, int | float) else default
