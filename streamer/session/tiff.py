"""A frame as a TIFF file, and back without a bit's difference.

Fiji, HyperSpy and napari open it with its calibration: as an ImageJ file where ImageJ
knows the pixel type, else as a plain one. What either has no field for stands in our
own line of JSON (see `streamer.session.description`), from which frames are rebuilt.
"""

import io
import math

import numpy as np
import tifffile

from streamer.frame import Frame
from streamer.session.acquisition import Acquisition
from streamer.session.description import KEY, Description, find

IMAGEJ_DTYPES = frozenset(
    np.dtype(name) for name in ("uint8", "uint16", "int16", "float32")
)
"""Pixel types that an ImageJ file can hold."""

NM_PER_CM = 1e7
type TagTuple = tuple[int, str, int | None, str | float, bool]

RATIONAL_LIMIT = 2.0**32
"""A TIFF resolution is a fraction of two 32-bit numbers."""


def encode(frame: Frame) -> bytes:
    """File with one frame."""
    file = io.BytesIO()
    imagej = frame.image.dtype in IMAGEJ_DTYPES
    record = Description(frame.stream, [frame.seq], [Acquisition.of(frame)]).to_json()
    with tifffile.TiffWriter(file, imagej=imagej) as writer:
        if imagej:
            writer.write(
                frame.image,
                photometric="minisblack",
                resolution=resolution_tags(frame.pixel_size_nm, unit_nm=1.0),
                extratags=gatan_tags(frame),
                metadata=imagej_unit(frame) | {KEY: record},
            )
        else:
            write_plain(writer, frame, f"{KEY}={record}")
    return file.getvalue()


def decode(data: bytes) -> Frame:
    """Frame of a file that `encode` made.

    Raises
    ------
    ValueError
        Another file's bytes.
    """
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        description = find(page.description)
        if description is None or len(description.seqs) != 1:
            raise ValueError("the TIFF holds no frame of a session")
        if page.nbytes > len(data):
            raise ValueError(f"{len(data)} bytes cannot hold {page.shape} pixels")
        image = page.asarray()
    native = np.ascontiguousarray(image, image.dtype.newbyteorder("="))
    return description.acquisitions[0].frame(
        description.stream, description.seqs[0], native
    )


def write_plain(writer: tifffile.TiffWriter, frame: Frame, description: str) -> None:
    """Write a frame with its resolution in pixels per cm, the unit of plain TIFF."""
    resolution = resolution_tags(frame.pixel_size_nm, unit_nm=NM_PER_CM)
    writer.write(
        frame.image,
        photometric="minisblack",
        resolution=resolution,
        resolutionunit="CENTIMETER" if resolution else None,
        description=description,
        extratags=gatan_tags(frame),
        metadata=None,
        contiguous=False,
    )


def imagej_unit(frame: Frame) -> dict[str, str]:
    """ImageJ's word for the unit of the resolution, if there is one."""
    return {} if frame.pixel_size_nm is None else {"unit": "nm"}


def gatan_tags(frame: Frame) -> list[TagTuple]:
    """Digital Micrograph's tags for unit, origin and scale of both axes.

    HyperSpy reads no other calibration in nm.
    """
    if frame.pixel_size_nm is None:
        return []
    x_nm, y_nm = frame.origin_nm
    return [
        (65003, "s", None, "nm", True),
        (65004, "s", None, "nm", True),
        (65006, "d", 1, x_nm, True),
        (65007, "d", 1, y_nm, True),
        (65009, "d", 1, frame.pixel_size_nm, True),
        (65010, "d", 1, frame.pixel_size_nm, True),
    ]


def resolution_tags(
    pixel_size_nm: float | None, unit_nm: float
) -> tuple[float, float] | None:
    """Pixels per unit (across, down); None if unknown or not to be said in TIFF."""
    if pixel_size_nm is None:
        return None
    per_unit = unit_nm / pixel_size_nm
    fits = math.isfinite(per_unit) and 1 / RATIONAL_LIMIT < per_unit < RATIONAL_LIMIT
    return (per_unit, per_unit) if fits else None
