"""Scenes and trends as the columns that browsers are sent."""

from collections.abc import Mapping

import numpy as np

from dashboard.bins import Bins
from dashboard.scene import Scene
from dashboard.trend import Trend

type Columns = Mapping[str, object]


def image_columns(scene: Scene) -> Columns:
    """The frame, placed where its pixels lie, with what its grey levels mean."""
    extent = scene.extent
    return {
        "image": [scene.image],
        "x": [extent.left],
        "y": [extent.top],
        "dw": [extent.width],
        "dh": [scene.image_height],
        "pixel": [scene.pixel],
        "low": [scene.low],
        "high": [scene.high],
        "greys": [scene.greys],
    }


def no_image() -> Columns:
    """Columns of an image, without any."""
    return {name: [] for name in ("image", "x", "y", "dw", "dh")}


def atom_columns(scene: Scene) -> Columns:
    """One row an atom."""
    return dict(scene.atoms)


def line_columns(trend: Trend) -> Columns:
    """One row a column of frames."""
    return dict(trend.lines)


def map_columns(trend: Trend, quantity: str) -> Columns:
    """The heat map of one quantity, each column around its frames."""
    image, bins = trend.maps[quantity], trend.bins[quantity]
    return {
        "image": [image],
        "x": [trend.start],
        "y": [bins.low],
        "dw": [trend.width * image.shape[1]],
        "dh": [bins.high - bins.low],
    }


def now_columns(scene: Scene, quantity: str, bins: Bins) -> Columns:
    """The histogram of one frame: one row a bin, in percent of its atoms."""
    counts = scene.histogram(quantity, bins)
    percent = 100 * counts / max(int(counts.sum()), 1)
    edges = bins.edges.astype(np.float32)
    return {
        "bottom": edges[:-1],
        "top": edges[1:],
        "percent": percent.astype(np.float32),
    }
