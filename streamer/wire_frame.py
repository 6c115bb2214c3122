"""A frame as header fields and payload: the image, raw, little-endian, row by row."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from streamer.errors import FrameError, WireError
from streamer.frame import DTYPES, MAX_SIDE_PX, Completeness, Frame, Stream
from streamer.header import Fields, json_value

_PIXEL_TYPES = {dtype.name: dtype.newbyteorder("<") for dtype in DTYPES}


def write_frame(frame: Frame) -> tuple[Mapping[str, object], memoryview]:
    """Header fields of `frame`, and its pixels without a copy where they lie in order.

    Raises
    ------
    WireError
        Metadata that is not JSON.
    """
    fields = {
        "shape": list(frame.shape),
        "dtype": frame.image.dtype.name,
        "pixel_size_nm": frame.pixel_size_nm,
        "origin_nm": list(frame.origin_nm),
        "start_ns": frame.start_ns,
        "end_ns": frame.end_ns,
        "dwell_time_us": frame.dwell_time_us,
        "dose_e_nm2": frame.dose_e_nm2,
        "completeness": frame.completeness,
        "valid_rows": frame.valid_rows,
        "metadata": json_value(frame.metadata, "metadata"),
    }
    return fields, raw(frame.image)


def read_frame(stream: Stream, seq: int, fields: Fields, payload: memoryview) -> Frame:
    """The frame whose image is a read-only view of `payload`.

    Raises
    ------
    WireError
        A field is missing, of the wrong type or out of range, or the payload has
        not the bytes that shape and dtype need.
    """
    rows, cols = shape(fields)
    dtype = pixel_type(fields)
    # The name as it came: to ask a dtype for its own takes longer than all the rest.
    what = f"{rows} x {cols} {fields.values['dtype']}"
    check_length(payload, rows * cols * dtype.itemsize, what)
    x_nm, y_nm = fields.reals("origin_nm", 2)
    try:
        return Frame(
            stream=stream,
            seq=seq,
            image=view(payload, dtype, rows * cols).reshape(rows, cols),
            pixel_size_nm=fields.optional(fields.real, "pixel_size_nm"),
            origin_nm=(x_nm, y_nm),
            start_ns=fields.optional(fields.integer, "start_ns"),
            end_ns=fields.optional(fields.integer, "end_ns"),
            dwell_time_us=fields.optional(fields.real, "dwell_time_us"),
            dose_e_nm2=fields.optional(fields.real, "dose_e_nm2"),
            completeness=fields.choice("completeness", Completeness),
            valid_rows=fields.count("valid_rows", rows),
            metadata=MappingProxyType(fields.json("metadata")),
        )
    except FrameError as error:
        raise WireError(f"{fields.where}: {error}") from error


def shape(fields: Fields, most_px: int = MAX_SIDE_PX, least_px: int = 1) -> list[int]:
    """[rows, cols], each from `least_px` to `most_px`."""
    sides = fields.items("shape", 2, 2)
    return [sides.integer(key, least_px, most_px) for key in sides.values]


def pixel_type(fields: Fields) -> np.dtype[np.generic]:
    """The dtype that field `dtype` names, little-endian."""
    name = fields.text("dtype")
    if name not in _PIXEL_TYPES:
        raise fields.unexpected("dtype", "one of " + ", ".join(sorted(_PIXEL_TYPES)))
    return _PIXEL_TYPES[name]


def raw(array: NDArray[np.generic]) -> memoryview:
    """The bytes of `array`, little-endian, in C order; its own where they are so."""
    ordered = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return ordered.reshape(-1).view(np.uint8).data


def view(
    payload: memoryview, dtype: np.dtype[np.generic], count: int, offset: int = 0
) -> NDArray[np.generic]:
    """Read-only array over `count` values of `payload` from byte `offset`."""
    array = np.frombuffer(payload, dtype, count, offset)
    if not array.flags.aligned:
        # ZeroMQ delivers small messages at any address; compiled code wants aligned.
        array = array.copy()
        array.flags.writeable = False
    return array


def check_length(payload: memoryview, expected_bytes: int, what: str) -> None:
    """Refuse a payload that is not `expected_bytes` long.

    Raises
    ------
    WireError
        It is shorter or longer.
    """
    if len(payload) != expected_bytes:
        raise WireError(
            f"a payload of {len(payload)} bytes, expected {expected_bytes} for {what}"
        )
