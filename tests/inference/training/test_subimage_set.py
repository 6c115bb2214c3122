import numpy as np
import pytest

pytest.importorskip("torch")

from inference.training.fit_paper_rvae import PaperRvaeRecipe
from inference.training.subimage_set import SubImageSet, join
from inference.training.window_set import WindowSet


def of_frames(*frames: int) -> SubImageSet:
    """One sub-image for each of these frame numbers."""
    count = len(frames)
    nothing = np.zeros(count, np.float32)
    return SubImageSet(
        rows=np.zeros((count, 4, 4), np.float32),
        angle_rad=nothing,
        crystallinity=nothing,
        coordination=np.zeros(count, np.uint8),
        frame=np.array(frames, np.intp),
    )


def test_frames_of_joined_sets_are_counted_on() -> None:
    joined = join([of_frames(0, 0, 1), of_frames(), of_frames(0, 2), of_frames(0)])
    assert joined.frame.tolist() == [0, 0, 1, 2, 4, 5]
    assert len(joined) == 6


def test_the_papers_share_is_drawn_of_each_frame_of_joined_sets() -> None:
    joined = join([of_frames(*[0] * 40), of_frames(*[0] * 8, *[1] * 20)])
    split = PaperRvaeRecipe(share=0.25).split(WindowSet.of(joined))
    used = np.concatenate([split.train, split.test])
    assert np.bincount(joined.frame[used]).tolist() == [10, 2, 5]
