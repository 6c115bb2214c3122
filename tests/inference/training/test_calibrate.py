"""The rule for Si is a calibrated probability."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra [train]")

from inference.card import DcnnCard
from inference.species import log_brightness, share_odds, silicon_probability
from inference.training.calibrate import Sightings, fit_rule

TRUE = (-2.0, 0.6, 3.0)


@pytest.fixture(scope="module")
def drawn() -> Sightings:
    """Atoms whose species are drawn with a known probability."""
    rng = np.random.default_rng(1)
    share = rng.uniform(0.01, 0.99, 40_000).astype(np.float32)
    brightness = np.exp(rng.normal(0.3, 0.5, len(share)))
    odds = TRUE[0] + TRUE[1] * share_odds(share) + TRUE[2] * log_brightness(brightness)
    silicon = rng.random(len(share)) < 1 / (1 + np.exp(-odds))
    brightness[::4] = np.nan
    return Sightings(share, brightness, silicon)


def test_the_weights_behind_what_is_seen_are_found(drawn: Sightings) -> None:
    np.testing.assert_allclose(fit_rule(drawn).measured, TRUE, rtol=0.06)


def test_of_atoms_given_a_probability_that_share_is_silicon(drawn: Sightings) -> None:
    rule = fit_rule(drawn)
    given = silicon_probability(drawn.share, drawn.brightness, rule)
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        here = (given >= low) & (given < low + 0.2)
        assert drawn.silicon[here].mean() == pytest.approx(given[here].mean(), abs=0.03)


def test_as_many_are_wrongly_called_silicon_as_carbon(drawn: Sightings) -> None:
    rule = fit_rule(drawn)
    called = silicon_probability(drawn.share, drawn.brightness, rule) >= rule.threshold
    false, missed = called & ~drawn.silicon, ~called & drawn.silicon
    assert false.sum() == pytest.approx(missed.sum(), rel=0.02)


def test_species_that_nothing_confuses_still_give_a_rule(dcnn_card: DcnnCard) -> None:
    silicon = np.arange(200) % 10 == 0
    seen = Sightings(
        np.where(silicon, 1.0, 0.0).astype(np.float32),
        np.where(silicon, 4.0, 1.0),
        silicon,
    )
    rule = fit_rule(seen)
    called = silicon_probability(seen.share, seen.brightness, rule) >= rule.threshold
    np.testing.assert_array_equal(called, silicon)
    assert dcnn_card.model_copy(update={"silicon": rule}).silicon == rule


@pytest.mark.parametrize("species", [True, False])
def test_one_species_alone_gives_a_rule_that_names_it(species: bool) -> None:
    seen = Sightings(
        np.full(50, 0.9 if species else 0.1, np.float32),
        np.full(50, 4.0 if species else 1.0),
        np.full(50, species),
    )
    rule = fit_rule(seen)
    called = silicon_probability(seen.share, seen.brightness, rule) >= rule.threshold
    assert (called == species).all()
