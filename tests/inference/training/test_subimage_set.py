import numpy as np
import pytest

pytest.importorskip("torch")

from inference.training.subimage_set import SubImageSet, join


def numbered(*numbers: int) -> SubImageSet:
    """One sub-image for each of these numbers, which are all that is in it."""
    column = np.array(numbers, np.float32)
    return SubImageSet(
        rows=np.tile(column[:, None, None], (1, 4, 4)),
        angle_rad=column,
        crystallinity=column,
    )


def test_joined_sets_keep_all_that_is_known_of_each_sub_image() -> None:
    joined = join([numbered(3, 4), numbered(), numbered(5)])
    assert len(joined) == 3
    for column in (joined.rows[:, 2, 2], joined.angle_rad, joined.crystallinity):
        assert column.tolist() == [3, 4, 5]


def test_chosen_sub_images_are_those_asked_for() -> None:
    chosen = numbered(3, 4, 5).chosen(np.array([0, 2]))
    for column in (chosen.rows[:, 2, 2], chosen.angle_rad, chosen.crystallinity):
        assert column.tolist() == [3, 5]
