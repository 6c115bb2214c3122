"""What one method makes of a sample of sub-images, and how much of that is rotation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from inference.evaluation.ranks import rank_correlation
from inference.paper_methods.class_images import (
    CLASSES,
    Likeness,
    clusters,
    likeness,
    mean_images,
    turned_back,
)
from inference.paper_methods.leak import rotation_leak
from inference.paper_methods.method import Images, Method
from inference.paper_methods.reading import best_latent, errors_deg, mean_offset_rad
from inference.paper_methods.sub_images import INSIDE, SubImages
from inference.paper_methods.told import Told
from inference.paper_methods.window_size import WindowSize

HELD_OUT = 0.25
"""Of the sub-images, on which everything is measured; the paper's share."""
FEWEST = 80
"""Sub-images of which something can be said."""
MANIFOLD_STEPS = 6
MANIFOLD_PERCENT = (2.0, 98.0)
"""Of the latents of the sub-images, between which a manifold is drawn."""


@dataclass(frozen=True, slots=True)
class MethodFigures:
    """Measured on the sub-images that are held out."""

    class_similarity: float
    """Mean structural similarity of the pairs of class images."""
    class_similarity_turned: float
    """The same when one of each pair is turned as suits best."""
    rotation_leak: float
    """R² of the lattice's direction from the content, see `rotation_leak`."""
    order_spearman: float
    """Rank correlation, without its sign, of the latent that follows it best with the
    order of the detected positions."""
    angle_deg: float
    """Mean difference of the angle that the method tells from that of the detected
    bonds, modulo 120°; NaN for one that tells none."""


@dataclass(frozen=True, slots=True, eq=False)
class Manifold:
    """What the method draws, over its plane."""

    images: Images
    """(rows, cols, side, side): the first row is the lowest."""
    firsts: NDArray[np.float64]
    seconds: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TurnedCopy:
    """The two classes that turning makes more alike than any others."""

    first: int
    second: int
    likeness: Likeness
    turned: Images
    """(SIDE_PX, SIDE_PX): the first, turned as suits best."""


@dataclass(frozen=True, slots=True, eq=False)
class Studied:
    """One method and what came of it."""

    method: Method
    window: WindowSize
    told: Told
    plane: NDArray[np.floating]
    """(N, 2): all sub-images in the plane that is shown."""
    held_out: NDArray[np.bool_]
    classes: Images
    """(k, SIDE_PX, SIDE_PX): mean images of the classes, the most common first."""
    shares: NDArray[np.float64]
    """(k,): of the held-out sub-images that are of each."""
    turned_copy: TurnedCopy | None
    """None for a single class."""
    manifold: Manifold | None
    figures: MethodFigures


def held_out_of(count: int, seed: int) -> NDArray[np.bool_]:
    """(count,): which sub-images are kept from fitting."""
    ranks = np.random.default_rng([seed, count]).permutation(count)
    return np.asarray(ranks < round(HELD_OUT * count))


def study(
    method: Method,
    window: WindowSize,
    images: SubImages,
    held_out: NDArray[np.bool_],
    seed: int,
) -> Studied:
    """Everything of one method on `FEWEST` or more sub-images.

    Classes, and how latents are read, are found on those that are not held out.
    """
    # Many small products: threads would wait for each other, and their number must not
    # decide the last bit of a figure.
    with threadpool_limits(1):
        return _study(method, window, images, held_out, seed)


def _study(
    method: Method,
    window: WindowSize,
    images: SubImages,
    held_out: NDArray[np.bool_],
    seed: int,
) -> Studied:
    told = method.tell(images)
    placed = method.plane(images, told)
    own = method.classes
    labels = own(told) if own else clusters(told.content, ~held_out, seed)
    wide, shares = _classes(images, labels, told, held_out, seed)
    pairs = _pairs(wide)
    return Studied(
        method=method,
        window=window,
        told=told,
        plane=placed,
        held_out=held_out,
        classes=_inside(wide),
        shares=shares,
        turned_copy=_turned_copy(wide, pairs),
        manifold=_manifold(method, placed),
        figures=_figures(images, told, held_out, pairs),
    )


type _Pairs = dict[tuple[int, int], Likeness]


def _classes(
    images: SubImages,
    labels: NDArray[np.intp],
    told: Told,
    held_out: NDArray[np.bool_],
    seed: int,
) -> tuple[Images, NDArray[np.float64]]:
    """Mean images of the most common classes, with their margin, and their shares."""
    rows = np.flatnonzero(held_out)
    present, counts = np.unique(labels[rows], return_counts=True)
    often = np.argsort(-counts, kind="stable")[:CLASSES]
    # Numbered by how common they are.
    rank = {label: place for place, label in enumerate(present[often])}
    rows = np.array([row for row in rows if labels[row] in rank], np.intp)
    ranked = np.array([rank[label] for label in labels[rows]], np.intp)
    angle = None if told.angle_rad is None else told.angle_rad[rows]
    means = mean_images(images.wide[rows], ranked, angle, seed)
    return means, counts[often] / counts.sum()


def _pairs(wide: Images) -> _Pairs:
    spread = float(np.ptp(_inside(wide))) or 1.0
    return {
        (one, other): likeness(wide[one], wide[other], INSIDE, spread)
        for one, other in combinations(range(len(wide)), 2)
    }


def _turned_copy(wide: Images, pairs: _Pairs) -> TurnedCopy | None:
    """The pair that turning brings together most; None for a single class."""
    if not pairs:
        return None
    first, second = max(
        pairs, key=lambda two: pairs[two].turned - pairs[two].as_they_are
    )
    found = pairs[first, second]
    back_rad = np.array([-math.radians(found.turn_deg)])
    turned = _inside(turned_back(wide[first][None], back_rad))[0]
    return TurnedCopy(first, second, found, turned)


def _figures(
    images: SubImages, told: Told, held_out: NDArray[np.bool_], pairs: _Pairs
) -> MethodFigures:
    learnt, whole = ~held_out, images.with_angle
    column, _ = best_latent(told.content[learnt], images.order[learnt])
    rho = rank_correlation(told.content[held_out, column], images.order[held_out])
    return MethodFigures(
        class_similarity=_mean([one.as_they_are for one in pairs.values()]),
        class_similarity_turned=_mean([one.turned for one in pairs.values()]),
        rotation_leak=rotation_leak(
            told.content[whole], images.angle_rad[whole], held_out[whole]
        ),
        order_spearman=abs(rho),
        angle_deg=_angle_deg(images, told, held_out),
    )


def _angle_deg(images: SubImages, told: Told, held_out: NDArray[np.bool_]) -> float:
    if told.angle_rad is None:
        return math.nan
    learnt, measured = (images.with_angle & rows for rows in (~held_out, held_out))
    if not (learnt.any() and measured.any()):
        return math.nan
    true = images.angle_rad
    offset = mean_offset_rad(told.angle_rad[learnt], true[learnt])
    return _mean(errors_deg(told.angle_rad[measured] + offset, true[measured]))


def _manifold(method: Method, placed: NDArray[np.floating]) -> Manifold | None:
    if method.draw is None:
        return None
    low, high = np.percentile(placed.astype(np.float64), MANIFOLD_PERCENT, axis=0)
    firsts, seconds = np.linspace(low, high, MANIFOLD_STEPS).T
    return Manifold(method.draw(firsts, seconds), firsts, seconds)


def _inside(wide: Images) -> Images:
    return np.ascontiguousarray(wide[:, INSIDE, INSIDE])


def _mean(values: Sequence[float] | NDArray[np.floating]) -> float:
    return float(np.mean(values)) if len(values) else math.nan
