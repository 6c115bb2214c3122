"""The numbers of the figures of sub-images, as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from inference.paper_methods.study import MethodFigures, Studied
from inference.paper_methods.sub_images import SubImages


def figures_table(studied: Sequence[Studied]) -> pa.Table:
    """A row for each method and window: what was measured on what was held out."""
    columns: dict[str, list[object]] = {
        "window": [one.window for one in studied],
        "method": [one.method.name for one in studied],
        "learnt_from": [one.method.learnt_from for one in studied],
        "measured_on": [int(one.held_out.sum()) for one in studied],
    }
    for field in fields(MethodFigures):
        values = [getattr(one.figures, field.name) for one in studied]
        columns[field.name] = [round(value, 4) for value in values]
    return pa.table(columns)


def latents_table(
    studied: Sequence[Studied], images: SubImages, seqs: NDArray[np.int64]
) -> pa.Table:
    """A row for each sub-image: where each method puts it, and what is known of it.

    Parameters
    ----------
    seqs
        Of the frames that were looked at.
    """
    columns: dict[str, NDArray[np.generic]] = {
        "frame": seqs[images.frame],
        "bonds_angle_rad": images.angle_rad,
        "psi3": images.psi3,
        "order": images.order,
        "held_out": studied[0].held_out,
    }
    for one in studied:
        name = slug(one.method.name)
        for axis, values in enumerate(one.plane.T):
            columns[f"{name}_{axis + 1}"] = values.astype(np.float32)
        if one.told.angle_rad is not None:
            columns[f"{name}_angle_rad"] = one.told.angle_rad
    return pa.table(dict(columns))


def classes_table(studied: Sequence[Studied]) -> pa.Table:
    """A row for each pixel of each class image."""
    parts = [
        _pixels(
            image, {"method": one.method.name, "class": number, "share": float(share)}
        )
        for one in studied
        for number, (image, share) in enumerate(
            zip(one.classes, one.shares, strict=True)
        )
    ]
    return pa.concat_tables(parts)


def manifolds_table(studied: Sequence[Studied]) -> pa.Table | None:
    """A row for each pixel of each image that a method draws; None without any."""
    parts = [
        _pixels(
            one.manifold.images[row, col],
            {
                "method": one.method.name,
                "first": float(one.manifold.firsts[col]),
                "second": float(one.manifold.seconds[row]),
            },
        )
        for one in studied
        if one.manifold is not None
        for row in range(len(one.manifold.seconds))
        for col in range(len(one.manifold.firsts))
    ]
    return pa.concat_tables(parts) if parts else None


def slug(name: str) -> str:
    """A method's name in the name of a column."""
    kept = "".join(letter if letter.isalnum() else " " for letter in name.lower())
    return "_".join(kept.split())


def _pixels(
    image: NDArray[np.floating], facts: Mapping[str, str | int | float]
) -> pa.Table:
    rows, cols = np.indices(image.shape, np.int32)
    columns: dict[str, list[str | int | float] | NDArray[np.generic]] = {
        **{name: [value] * image.size for name, value in facts.items()},
        "row_px": rows.ravel(),
        "col_px": cols.ravel(),
        "probability": image.ravel().astype(np.float32),
    }
    return pa.table(columns)
