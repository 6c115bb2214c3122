"""What has changed from one frame to another, pixel by pixel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.scene import Scene

ZERO = 127
"""Of `Difference.image`: no change. From 0 to twice that, so that it is the middle."""

USUAL = 0.995
"""Share of the pixels that are drawn in colours between the ends."""

SAMPLES = 50_000
"""Pixels by which the ends are chosen."""

APART_PX = 0.5
"""How far pixels of two frames may lie apart to be taken for the same place."""


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """One frame minus another, in the frames' own unit."""

    image: NDArray[np.uint8]
    """(rows, cols): 0 for `-limit` and below, `ZERO` for 0, twice that for `limit`."""
    limit: float
    height: float
    """Of `image` on the sample, in the unit of the scene's extent."""


def difference(scene: Scene, reference: Scene) -> Difference:
    """`scene` - `reference`, of the rows that both have.

    By what pages are sent of them: frames averaged down to what a screen shows, values
    cut at their half and 99.5 percent quantiles.
    """
    rows = min(len(scene.image), len(reference.image))
    change = values(scene)[:rows] - values(reference)[:rows]
    sizes = np.abs(change.ravel()[:: max(1, change.size // SAMPLES)])
    limit = float(np.quantile(sizes, USUAL)) or float(sizes.max()) or 1.0
    image = np.round(np.clip(change / limit, -1, 1) * ZERO) + ZERO
    return Difference(
        image=image.astype(np.uint8),
        limit=limit,
        height=min(scene.image_height, reference.image_height),
    )


def values(scene: Scene) -> NDArray[np.float32]:
    """What the pixels of an image stand for."""
    step = np.float32((scene.high - scene.low) / 255)
    return scene.image.astype(np.float32) * step + np.float32(scene.low)


def refusal(scene: Scene, reference: Scene) -> str:
    """Why two frames cannot be compared, in words; empty if they can."""
    of, ours = f"Frame {reference.seq:,} cannot be taken away", "this one"
    if scene.shape != reference.shape:
        return f"{of}: it has {pixels(reference)} pixels, {ours} {pixels(scene)}"
    here, there = scene.extent, reference.extent
    if here.unit != there.unit:
        return f"{of}: only one of the two has a pixel size"
    apart = APART_PX * here.width / scene.shape[1]
    if abs(here.width - there.width) > apart:
        return (
            f"{of}: it is {there.width:.4g} {there.unit} wide, {ours} {here.width:.4g}"
        )
    if max(abs(here.left - there.left), abs(here.top - there.top)) > apart:
        return f"{of}: it shows another part of the sample"
    return ""


def pixels(scene: Scene) -> str:
    """Rows and columns of a frame."""
    rows, cols = scene.shape
    return f"{rows:,} \N{MULTIPLICATION SIGN} {cols:,}"
