"""What the sub-images of a stream are made of, by the paper's methods and by ours."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from atomstream.report.figure import Drawn, Progress, Remark
from atomstream.report.figures.methods_compared import methods_compared, number
from atomstream.report.figures.rotation import rotation
from atomstream.report.material import AtHand, Material, evenly
from atomstream.report.method_sources import Sources, sources
from atomstream.report.sub_image_tables import (
    classes_table,
    figures_table,
    latents_table,
    manifolds_table,
)
from atomstream.report.wish import Window, Wish
from inference.describe import describer_of
from inference.paper_methods.mixture import fit_mixture
from inference.paper_methods.study import FEWEST, Studied, held_out_of, study
from inference.paper_methods.sub_images import (
    Look,
    Seen,
    Share,
    SubImages,
    sample,
    turn_to,
)
from inference.paper_methods.window_size import SIDE_PX, WINDOWS_NM, WindowSize
from streamer.analysis import Flag
from streamer.session.records import AnalysisRecord

MOST_FRAMES = 24
"""That are looked at again, evenly spread over the stream."""
MOST_SUB_IMAGES = 3000
"""That are drawn of all of them together."""
SEED = 1
METHODS = 5
TABLE = "sub-images-methods"


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """What is looked at."""

    records: tuple[AnalysisRecord, ...]
    by: AtHand
    sources: Sources
    turn_rad: float
    images: Mapping[WindowSize, SubImages]


def draw(
    material: Material, wish: Wish, progress: Progress
) -> Iterator[Drawn | Remark]:
    """A figure for each size of windows, and one of how much of it is rotation."""
    by = seen_by(material)
    if by is None:
        yield Remark(_without_model(material))
        return
    sizes = _sizes(wish.window)
    steps = MOST_FRAMES + METHODS * len(sizes)
    seen = _sample(material, by, wish, sizes, lambda done, _: progress(done, steps))
    every: list[list[Studied]] = []
    for size in sizes:
        images = seen.images.get(size)
        if images is None or len(images) < FEWEST:
            yield Remark(_too_few(size, 0 if images is None else len(images)))
            continue
        done = MOST_FRAMES + METHODS * len(every)
        tell = partial(lambda first, more, _: progress(first + more, steps), done)
        studied = _studied(seen, size, images, tell)
        every.append(studied)
        yield _compared(seen, size, images, studied)
    if every:
        yield _rotation(every)
    progress(steps, steps)


def _sizes(window: Window) -> tuple[WindowSize, ...]:
    return tuple(
        size for size in WINDOWS_NM if window is Window.BOTH or size == window.value
    )


def seen_by(material: Material) -> AtHand | None:
    """The model of most analyses with atoms, of those whose files are here."""
    here = [model for model in material.used if model.sha256 in material.models]
    if not here:
        return None
    often = max(here, key=lambda model: len(_with_atoms(material.by(model))))
    return material.models[often.sha256]


def _with_atoms(records: Sequence[AnalysisRecord]) -> list[AnalysisRecord]:
    return [each for each in records if Flag.NO_ATOMS not in each.flags]


def _sample(
    material: Material,
    by: AtHand,
    wish: Wish,
    sizes: tuple[WindowSize, ...],
    progress: Progress,
) -> _Sample:
    model = by.model
    records = evenly(_with_atoms(material.by(model.id)), MOST_FRAMES)
    looks: list[Look] = [partial(material.maps, record) for record in records]
    used = sources(by, wish.retrained)
    card = model.card.dcnn
    turn = turn_to(looks, card, used.lies_deg) if looks else None
    seen = Seen(card, describer_of(used.own.model.card), sizes, turn or 0.0)
    share = Share(-(-MOST_SUB_IMAGES // max(len(looks), 1)), SEED)
    images = sample(looks, seen, share, progress)
    return _Sample(tuple(records), by, used, seen.turn_rad, images)


def _studied(
    seen: _Sample, size: WindowSize, images: SubImages, progress: Progress
) -> list[Studied]:
    held_out = held_out_of(len(images), SEED)
    methods = [
        fit_mixture(images, ~held_out, SEED),
        *seen.sources.methods(size, seen.turn_rad),
    ]
    found = []
    for method in methods:
        found.append(study(method, size, images, held_out, SEED))
        progress(len(found), len(methods))
    return found


def _compared(
    seen: _Sample, size: WindowSize, images: SubImages, studied: list[Studied]
) -> Drawn:
    seqs = np.array([record.frame.seq for record in seen.records], np.int64)
    name = f"sub-images-{size}"
    tables = {
        f"{name}-latents": latents_table(studied, images, seqs),
        f"{name}-classes": classes_table(studied),
    }
    manifolds = manifolds_table(studied)
    if manifolds is not None:
        tables[f"{name}-manifolds"] = manifolds
    side_nm = SIDE_PX * WINDOWS_NM[size]
    return Drawn(
        name=name,
        title=f"What each method sees in {size} windows ({side_nm:.2f} nm wide)",
        caption=_caption(seen, size, images, studied[0].held_out),
        figure=methods_compared(studied, images.angle_rad),
        tables=tables,
    )


def _rotation(every: list[list[Studied]]) -> Drawn:
    flat = [one for studied in every for one in studied]
    return Drawn(
        name="sub-images-rotation",
        title="Why rotation must be taken out",
        caption=_rotation_caption(every),
        figure=rotation(every),
        tables={TABLE: figures_table(flat)},
        shown=(TABLE,),
    )


def _caption(
    seen: _Sample,
    size: WindowSize,
    images: SubImages,
    held_out: NDArray[np.bool_],
) -> str:
    learnt, measured = int((~held_out).sum()), int(held_out.sum())
    return (
        f"{len(images)} sub-images of atoms of {len(seen.records)} frames (probability "
        f"of C or Si, drawn by seed {SEED}). Everything shown and measured is of the "
        f"{measured} that were held out; the other {learnt} are what the Gaussian "
        "mixture was fitted to, and by which latents are read. Class images: means of "
        "the six most common of 16 components (GMM), or of six clusters of the content "
        "latents, with their share; for methods that tell an angle each sub-image is "
        "turned back by it first. Latents: each point is an atom, in the colour of the "
        "direction of its bonds as detected. Two colours apart mean that the latents "
        "hold rotation; an even mixture, that they do not. "
        + seen.sources.words(size)
        + _turn_words(seen)
    )


def _turn_words(seen: _Sample) -> str:
    if seen.sources.lies_deg is None:
        return ""
    turn = number(np.degrees(seen.turn_rad), "+.1f")
    return (
        f" These networks know one orientation of the sheet alone: all sub-images are "
        f"turned by {turn}°, so that it lies as in their training."
    )


def _rotation_caption(every: list[list[Studied]]) -> str:
    words = [
        "Rotation leak: R² of cos and sin of three times the bonds' angle, told from "
        "content latents alone by the 25 nearest neighbours in their space, on "
        "sub-images held out; 1 means that the latents hold the whole orientation, 0 "
        "none of it. Similarity: structural similarity (SSIM) of class images, mean of "
        "all pairs, as they are (ring) and with one of them turned as suits best "
        "(dot). A long line between the two means that the classes are mostly one and "
        "the same image, turned. Below, of each method the two classes for which this "
        "is worst, and the second turned onto the first.",
    ]
    return " ".join([*words, *(_in_words(studied) for studied in every)])


def _in_words(studied: Sequence[Studied]) -> str:
    """What the mixture and our encoder make of one size, with their figures."""
    told = [
        f"{one.method.name}: classes alike to "
        f"{number(one.figures.class_similarity)}, turned to "
        f"{number(one.figures.class_similarity_turned)}, rotation R² "
        f"{number(one.figures.rotation_leak)}"
        for one in (studied[0], studied[-1])
    ]
    return f"In {studied[0].window} windows: " + "; ".join(told) + "."


def _too_few(size: WindowSize, count: int) -> str:
    side_nm = SIDE_PX * WINDOWS_NM[size]
    return (
        f"{size.capitalize()} windows ({side_nm:.2f} nm wide): {count} sub-images lie "
        f"within their frames however they are turned, too few to compare methods on "
        f"(at least {FEWEST}); atoms nearer than {side_nm / np.sqrt(2):.2f} nm to the "
        "frame's border have none."
    )


def _without_model(material: Material) -> str:
    names = ", ".join(model.name for model in material.used) or "none"
    return (
        "Sub-images are cut from probability maps, which the model makes again, and "
        f"its files are not here ({names}); name their folder with --model."
    )
