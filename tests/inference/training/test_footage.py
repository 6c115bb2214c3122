import numpy as np
import pytest

from inference.training.footage import Footage, paper_movies, random_movies
from streamer.simulator.microscope import Microscope
from streamer.simulator.movie import Movie

TINY = Movie(frames=5, microscope=Microscope((64, 64), 2.0))


@pytest.mark.parametrize(
    ("share", "count", "taken"),
    [(0.25, 40, 10), (0.25, 8, 2), (0.25, 1, 1), (0.25, 0, 0), (1.0, 7, 7)],
)
def test_a_share_of_each_frames_sub_images_is_taken(
    share: float, count: int, taken: int
) -> None:
    (shot,) = Footage(lambda _rng: TINY, 1, share=share).shot(np.random.default_rng(1))
    drawn = shot.drawn(count, np.random.default_rng(2))
    assert len(drawn) == taken
    assert sorted(set(drawn)) == drawn.tolist()
    assert set(drawn) <= set(range(count))


def test_one_frame_in_so_many_is_taken() -> None:
    (shot,) = Footage(lambda _rng: TINY, 1, every=2).shot(np.random.default_rng(1))
    assert [exposure.index for exposure, _ in shot.exposures()] == [0, 2, 4]


def test_the_same_seed_shoots_the_same_movies() -> None:
    first, again, other = (
        [(shot.seed, shot.movie) for shot in random_movies(3).shot(rng)]
        for rng in map(np.random.default_rng, (1, 1, 2))
    )
    assert first == again
    assert first != other
    assert len({seed for seed, _ in first}) == 3


def test_the_papers_movie_is_one_of_its_size_and_dose() -> None:
    (shot,) = paper_movies(1, 50, 0.25).shot(np.random.default_rng(1))
    setting = shot.movie.microscope
    assert (shot.movie.frames, setting.field_nm) == (50, 16.0)
    assert setting == Microscope()
