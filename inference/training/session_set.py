"""Sub-images of a recorded session, about which no truth is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.locate import locate
from inference.order_parameters import order_parameters
from inference.pixels import pixels_of
from inference.segment import segment
from inference.training.progress import Progress
from inference.training.subimage_set import Sight, SubImageSet
from inference.training.unfinished import Arrays
from streamer.errors import SessionError
from streamer.frame import Frame
from streamer.session.reader import SessionReader
from streamer.session.records import FrameKey

HELD_OUT = 0.25
"""Share of the sub-images that no training sees, as in the paper."""


@dataclass(frozen=True, slots=True)
class SessionSource:
    """A session to learn from."""

    folder: Path
    fraction: float = 0.25
    """Share of each frame's sub-images that is used; the paper's."""
    seed: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class SessionSubImages:
    """One row a sub-image."""

    rows: NDArray[np.float32]
    """(N, …): what the encoder gets to see, see `inference.describe`."""
    angle_rad: NDArray[np.float32]
    """(N,): of the detected neighbours, modulo 2π/3; NaN without any."""
    order: NDArray[np.float32]
    """(N,): see `inference.order_parameters`, 0..1."""
    frame: NDArray[np.intp]
    """(N,): number of the frame that it is from, in the session."""
    held_out: NDArray[np.bool_]
    """(N,): not to be trained on."""

    @property
    def learnt(self) -> SubImageSet:
        """Those to be trained on, with what is detected about them."""
        learnt = ~self.held_out
        return SubImageSet(
            rows=self.rows[learnt],
            angle_rad=self.angle_rad[learnt],
            crystallinity=self.order[learnt],
        )


def streams_of(folder: Path) -> list[str]:
    """What tells this session from another, whichever frames it has by now.

    Raises
    ------
    SessionError
        No session.
    """
    with SessionReader(folder) as session:
        return [record.stream.id for record in session.streams()]


def subimages_of_session(
    source: SessionSource, seen_by: Sight, progress: Progress
) -> Arrays:
    """Fields of `SessionSubImages`, from all frames committed by now.

    The frames are segmented again: positions alone, which the session has, are not
    what an encoder sees. What reaches past the frame is left out.

    Raises
    ------
    SessionError
        No session, damaged, or one in which no atom can be seen.
    """
    parts: list[Arrays] = []
    with SessionReader(source.folder) as session:
        keys = [
            FrameKey(record.stream.id, frame.seq)
            for record in session.streams()
            for frame in session.frames(record.stream.id)
        ]
        for number, key in enumerate(keys):
            rng = np.random.default_rng([source.seed, number])
            for drawn in _drawn(session, key, seen_by, source.fraction, rng):
                frame = np.full(len(drawn["rows"]), number, np.intp)
                parts.append({**drawn, "frame": frame})
            progress(number + 1, len(keys))
    count = sum(len(part["rows"]) for part in parts)
    if count < 1 / HELD_OUT:
        raise SessionError(
            f"{source.folder}: too few atoms to learn from in {len(keys)} frames; "
            "expected a session with calibrated frames in which the model sees atoms"
        )
    ranks = np.random.default_rng([source.seed, len(keys)]).permutation(count)
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {**joined, "held_out": ranks < HELD_OUT * count}


def _drawn(
    session: SessionReader,
    key: FrameKey,
    seen_by: Sight,
    fraction: float,
    rng: np.random.Generator,
) -> Iterator[Arrays]:
    """Some of a frame's sub-images; nothing for one without atoms."""
    frame = session.frame(*key)
    pixel_size_nm = frame.pixel_size_nm or _used(session, key)
    found = _found(frame, pixel_size_nm, seen_by) if pixel_size_nm else None
    if found is None:
        return
    count = len(found["rows"])
    chosen = np.sort(rng.permutation(count)[: round(fraction * count)])
    yield {name: column[chosen] for name, column in found.items()}


def _used(session: SessionReader, key: FrameKey) -> float | None:
    """Pixel size that a frame without calibration was analysed with."""
    for record in session.analyses(key.stream_id):
        if record.frame.seq == key.seq:
            return record.pixel_size_nm
    return None


def _found(frame: Frame, pixel_size_nm: float, seen_by: Sight) -> Arrays | None:
    """Fields of all sub-images that lie within the frame."""
    pixels = pixels_of(frame)
    if not pixels.worth_analysing:
        return None
    maps = segment(pixels.image, pixel_size_nm, seen_by.card, seen_by.network)
    if maps is None:
        return None
    peaks = locate(maps.carbon, maps.silicon, seen_by.card)
    if len(peaks) == 0:
        return None
    described = seen_by.describer.describe(maps, peaks.rowcol)
    whole = np.flatnonzero(~described.edge)
    order = order_parameters(peaks.rowcol * seen_by.card.pixel_size_nm)[whole]
    return {
        "rows": described.rows[whole],
        "angle_rad": order.angle_rad,
        "order": order.order,
    }
