"""A frame of a session as figures show it."""

import math

import numpy as np
from scipy.spatial import KDTree

from atomstream.report.figures.view import Box, View
from atomstream.report.material import Material
from atomstream.report.numbers import scientific
from atomstream.report.survey import analysed_shape
from streamer.atoms import SPECIES
from streamer.session.records import AnalysisRecord

DETAIL_NM = 4.0
"""Side of what is enlarged: single atoms are seen."""
LARGE = 1.5
"""A field of this many times that is enlarged in part, a smaller one not."""


def view_of(material: Material, record: AnalysisRecord, *, maps: bool) -> View:
    """Image and atoms of one frame, and the probabilities where they are asked for.

    Of a frame whose pixel size is unknown all lengths are in pixels.
    """
    columns = material.atoms(record, ("row_px", "col_px", "species"))
    pixel_nm = record.pixel_size_nm or 1.0
    seen = material.maps(record) if maps else None
    rows = analysed_shape(record)[0]
    x_nm = pixel_nm * columns["col_px"].astype(np.float64)
    y_nm = pixel_nm * columns["row_px"].astype(np.float64)
    return View(
        title=when(record),
        image=material.frame(record).image[:rows],
        pixel_nm=pixel_nm,
        x_nm=x_nm,
        y_nm=y_nm,
        species=columns["species"].astype(np.uint8),
        carbon=seen.carbon if seen else None,
        silicon=seen.silicon if seen else None,
        unit="nm" if record.pixel_size_nm else "px",
    )


def when(record: AnalysisRecord) -> str:
    """Which frame, when, and after what dose, as far as it is known."""
    told = [f"frame {record.frame.seq}"]
    time_s, dose = record.frame.exposure.time_s, record.frame.exposure.dose_e_nm2
    if math.isfinite(time_s):
        told.append(f"{time_s / 60:.1f} min" if time_s >= 100 else f"{time_s:.3g} s")
    if math.isfinite(dose) and dose > 0:
        told.append(f"{scientific(dose)} e/nm²")
    return " · ".join(told)


def lies_in(box: Box, view: View) -> bool:
    """Whether all of it belongs to a frame."""
    height, width = view.size_nm
    right, bottom = box.left_nm + box.side_nm, box.top_nm + box.side_nm
    return right <= width and bottom <= height


def detail_of(view: View) -> Box | None:
    """A part that is worth enlarging: around most Si, or the middle.

    None where the whole frame is hardly larger than that.
    """
    size = np.array(view.size_nm)
    if view.unit != "nm" or size.min() < LARGE * DETAIL_NM:
        return None
    middle = size / 2
    silicon = view.species == SPECIES.index("Si")
    silicon &= np.isfinite(view.x_nm) & np.isfinite(view.y_nm)
    where = np.column_stack([view.y_nm[silicon], view.x_nm[silicon]])
    if len(where):
        near = KDTree(where).query_ball_point(where, DETAIL_NM / 2, return_length=True)
        middle = where[int(np.argmax(near))]
    top, left = np.clip(middle - DETAIL_NM / 2, 0, size - DETAIL_NM)
    return Box(float(left), float(top), DETAIL_NM)
