import itertools
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from inference.training.fit_paper_rvae import (
    PaperFit,
    PaperRvaeRecipe,
    fit_paper_rvae,
    held_out_loss,
)
from inference.training.window_set import WindowSet, drawn_split

COUNT = 120
RECIPE = PaperRvaeRecipe(steps=12, batch=16, pixels=20)


@pytest.fixture
def data() -> WindowSet:
    rng = np.random.default_rng(1)
    return WindowSet(
        windows=rng.random((COUNT, 8, 8), np.float32),
        angle_rad=rng.uniform(-1, 1, COUNT).astype(np.float32),
        order=rng.random(COUNT, np.float32),
    )


def silent(done: int, total: int) -> None:
    assert 1 <= done <= total


def weights(rvae: "torch.nn.Module") -> "torch.Tensor":
    return torch.cat([weight.detach().flatten() for weight in rvae.parameters()])


def test_a_quarter_is_kept_from_training() -> None:
    split = drawn_split(COUNT, test_share=0.25, seed=3)
    both = np.concatenate([split.train, split.test])
    assert sorted(both) == list(range(COUNT))
    assert len(split.test) == 30


def test_what_is_drawn_depends_on_the_seed_alone() -> None:
    first, again, other = (drawn_split(COUNT, 0.25, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.train, again.train)
    np.testing.assert_array_equal(first.test, again.test)
    assert not np.array_equal(first.train, other.train)


def test_nothing_but_the_training_rows_is_seen(data: WindowSet) -> None:
    expected = weights(fit_paper_rvae(data, RECIPE, silent))
    spoilt = np.full_like(data.windows, np.nan)
    train = RECIPE.split(data).train
    spoilt[train] = data.windows[train]
    found = weights(fit_paper_rvae(replace(data, windows=spoilt), RECIPE, silent))
    assert torch.equal(found, expected)


def test_the_same_seed_gives_the_same_weights(data: WindowSet) -> None:
    first = weights(fit_paper_rvae(data, RECIPE, silent))
    torch.manual_seed(99)  # somebody else's randomness is none of ours
    before = torch.get_rng_state()
    again = weights(fit_paper_rvae(data, RECIPE, silent))
    assert torch.equal(first, again)
    assert torch.equal(torch.get_rng_state(), before)
    other = weights(fit_paper_rvae(data, replace(RECIPE, seed=2), silent))
    assert not torch.equal(first, other)


def test_a_training_goes_on_where_it_was_left(data: WindowSet) -> None:
    whole = weights(fit_paper_rvae(data, RECIPE, silent))
    left = PaperFit(data, RECIPE)
    for _ in range(5):
        left.step()
    taken_up = PaperFit(data, RECIPE)
    taken_up.load_state_dict(left.state_dict())
    for _ in range(RECIPE.steps - 5):
        taken_up.step()
    assert torch.equal(weights(taken_up.rvae), whole)


def test_training_lowers_the_loss_on_what_was_kept_from_it(data: WindowSet) -> None:
    longer = replace(RECIPE, steps=200)
    start = held_out_loss(PaperFit(data, longer).rvae, data, longer)
    end = held_out_loss(fit_paper_rvae(data, longer, silent), data, longer)
    assert end < 0.7 * start


def test_the_losses_differ_in_what_they_train(data: WindowSet) -> None:
    printed = replace(RECIPE, loss="printed")
    trained = [weights(fit_paper_rvae(data, r, silent)) for r in (RECIPE, printed)]
    assert all(not torch.equal(a, b) for a, b in itertools.combinations(trained, 2))
