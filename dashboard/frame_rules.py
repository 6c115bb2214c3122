"""Rules about the frames of a stream: pure functions of its records."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.alert import Judgement, Severity
from dashboard.alert_rules import AlertRules, flag_rule
from dashboard.history import flag_bits
from streamer.analysis import Flag
from streamer.atoms import SPECIES

NOT_WHOLE = (
    Flag.PARTIAL,
    Flag.CONSTANT_ROWS,
    Flag.CONSTANT,
    Flag.NO_PIXEL_SIZE,
    Flag.TOO_SMALL,
    Flag.FAILED,
)
"""Frames with one of these say nothing of the sample as a whole."""

type Records = NDArray[np.void]
type Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of each frame, and when it is out of bounds."""

    rule: str
    severity: Severity
    limit: float
    values: Values
    """(frames,) NaN where unknown."""
    words: str
    """With places for `value` and `limit`."""
    below: bool = False
    """Out of bounds is what is below, not above, the limit."""

    @property
    def is_out(self) -> NDArray[np.bool_]:
        """(frames,) where the number is out of bounds."""
        compare = np.less if self.below else np.greater
        return compare(self.values, self.limit)


def frame_judgements(
    records: Records, place: str, rules: AlertRules, *, is_live: bool
) -> Iterator[Judgement]:
    """What the rules about frames say of a stream.

    Parameters
    ----------
    records
        As in `History`.
    is_live
        Whether frames are analysed as they come: only then can they be late.
    """
    whole = records["flags"] & flag_bits(NOT_WHOLE) == 0
    sample = latest(whole, rules)
    everything = latest(np.ones_like(whole), rules)
    for measure in sample_measures(records, sample, rules):
        yield judged(measure, records["seq"][sample], place, rules.frames_in_a_row)
    for measure in frame_measures(records[everything], rules, is_live=is_live):
        yield judged(measure, records["seq"][everything], place, rules.frames_in_a_row)


def latest(wanted: NDArray[np.bool_], rules: AlertRules) -> NDArray[np.intp]:
    """Places of the frames that can matter now, of those that are wanted."""
    back = max(rules.hole_growth_frames, rules.carbon_loss_frames)
    return np.flatnonzero(wanted)[-(rules.frames_in_a_row + back) :]


def sample_measures(
    records: Records, places: NDArray[np.intp], rules: AlertRules
) -> Iterator[Measure]:
    """What is measured of the sample, for each rule that is on."""
    if (limit := rules.crystallinity_below) is not None:
        yield Measure(
            "crystallinity_below",
            Severity.BAD,
            limit,
            records["mean_crystallinity"][places].astype(np.float64),
            "mean crystallinity {value:.3g}, below {limit:g}",
            below=True,
        )
    hole_nm2 = records["hole_area_nm2"][places].astype(np.float64)
    if (limit := rules.hole_area_above_nm2) is not None:
        yield Measure(
            "hole_area_above_nm2",
            Severity.BAD,
            limit,
            hole_nm2,
            "holes of {value:.3g} nm², above {limit:g} nm²",
        )
    if (limit := rules.hole_growth_above_nm2_per_min) is not None:
        minutes = records["time_s"][places] / 60
        yield Measure(
            "hole_growth_above_nm2_per_min",
            Severity.BAD,
            limit,
            slopes(minutes, hole_nm2, rules.hole_growth_frames),
            "holes grow by {value:.3g} nm²/min, above {limit:g} nm²/min",
        )
    yield from count_measures(records, places, rules)


def count_measures(
    records: Records, places: NDArray[np.intp], rules: AlertRules
) -> Iterator[Measure]:
    """What is measured of the counts of atoms, for each rule that is on."""
    carbon, silicon = (records["counts"][:, SPECIES.index(name)] for name in SPECIES)
    limit = rules.silicon_below
    if limit is not None and silicon.max() >= limit:
        yield Measure(
            "silicon_below",
            Severity.BAD,
            limit,
            silicon[places],
            "{value:.0f} Si in the field, below {limit:g}",
            below=True,
        )
    if (limit := rules.carbon_loss_above_percent) is not None:
        yield Measure(
            "carbon_loss_above_percent",
            Severity.BAD,
            limit,
            losses_percent(carbon[places], rules.carbon_loss_frames),
            f"{{value:.3g}} % of C lost within {rules.carbon_loss_frames} frames, "
            "above {limit:g} %",
        )


def frame_measures(
    records: Records, rules: AlertRules, *, is_live: bool
) -> Iterator[Measure]:
    """What is measured of frames, whatever they show, for each rule that is on."""
    if (limit := rules.latency_above_s) is not None and is_live:
        yield Measure(
            "latency_above_s",
            Severity.WARN,
            limit,
            records["latency_s"].astype(np.float64),
            "frames are late: {value:.1f} s from arrival to atoms, above {limit:g} s",
        )
    for flag in rules.flags:
        yield Measure(
            flag_rule(flag),
            Severity.WARN,
            0.5,
            (records["flags"] & flag_bits([flag]) != 0).astype(np.float64),
            f"frames are flagged {flag}",
        )


def judged(
    measure: Measure, seqs: NDArray[np.int64], place: str, in_a_row: int
) -> Judgement:
    """What the last `in_a_row` frames say."""
    enough = len(seqs) >= in_a_row
    is_out = measure.is_out[-in_a_row:]
    is_within = ~is_out & np.isfinite(measure.values[-in_a_row:])
    value = measure.values[-1] if len(seqs) else np.nan
    return Judgement(
        rule=measure.rule,
        place=place,
        severity=measure.severity,
        words=measure.words.format(value=value, limit=measure.limit),
        is_out=len(seqs) > 0 and bool(is_out[-1]),
        lasts=enough and bool(is_out.all()),
        ends=enough and bool(is_within.all()),
        seq=int(seqs[-in_a_row:][0]) if len(seqs) else None,
    )


# What another program publishes may hold any number: infinity has no slope.
@np.errstate(all="ignore")
def over_windows(frames: int, window: int, number: Callable[[slice], float]) -> Values:
    """(frames,) `number` of the window that ends with each frame."""
    windows = (slice(max(0, end - window), end) for end in range(1, frames + 1))
    return np.array([number(each) for each in windows], np.float64)


def slopes(times: Values, values: Values, window: int) -> Values:
    """(frames,) least-squares slope of the window of frames that ends with each.

    NaN where the window is not full, or anything in it is unknown.
    """

    def slope(part: slice) -> float:
        t, v = times[part] - times[part].mean(), values[part]
        spread = float(t @ t)
        return float(t @ v) / spread if len(t) == window and spread > 0 else np.nan

    return over_windows(len(times), window, slope)


def losses_percent(counts: Values, window: int) -> Values:
    """(frames,) by how much each count is below the highest of the window it ends."""

    def loss(part: slice) -> float:
        most = counts[part].max()
        return float(100 * (1 - counts[part][-1] / most)) if most > 0 else np.nan

    return over_windows(len(counts), window, loss)
