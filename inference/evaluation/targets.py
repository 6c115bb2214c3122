"""What a model should reach, and whether it does."""

from collections.abc import Iterator

from inference.evaluation.conditions import NOMINAL
from inference.evaluation.evaluate import DOSES, Figures
from inference.evaluation.positions import PositionFigures
from inference.evaluation.reach import Reach, Row

F1 = {
    "nominal dose": 0.995,
    "4 x dose": 0.997,
    "1/4 dose": 0.98,
    "1/10 dose": 0.90,
    "0.010 nm a pixel": 0.985,
    "0.020 nm a pixel": 0.985,
    "0.030 nm a pixel": 0.985,
}
VACUUM_NM2 = {"nominal dose": 0.02, "1/4 dose": 0.5}
SLOPE = {dose: Reach(0.97, 1.03) for dose in DOSES} | {"1/4 dose": Reach(0.93, 1.07)}
OVER_BOUND = {dose: Reach(high=1.10) for dose in DOSES} | {"4 x dose": Reach(high=1.15)}
ONE_SIGMA = Reach(0.65, 0.71)


def rows(figures: Figures) -> Iterator[Row]:
    """What was measured, with what it should be; the rest is in the figures."""
    for where, score in figures.frames.items():
        yield Row("F1", where, score.f1, Reach(low=F1[where]))
    yield from _nominal_rows(figures)
    for where, highest in VACUUM_NM2.items():
        false = figures.frames[where].vacuum_nm2
        yield Row("in vacuum, nm⁻²", where, false, Reach(high=highest))
    for where, positions in figures.positions.items():
        yield from _position_rows(where, positions)


def _nominal_rows(figures: Figures) -> Iterator[Row]:
    where = NOMINAL.name
    score, order = figures.frames[where], figures.order[where]
    for what, value, reach in (
        ("recall at edges", score.edge_recall, Reach(low=0.96)),
        ("Si precision", score.silicon_precision, Reach(low=0.97)),
        ("Si recall", score.silicon_recall, Reach(low=0.97)),
        ("angle off, bulk, °", score.angle_bulk_deg, Reach(high=0.7)),
        ("angle off, all, °", score.angle_deg, Reach(high=1.1)),
        ("equivariance, °", figures.equivariance_deg, Reach(high=0.15)),
        ("rotation leak, R²", order.leak, Reach(high=0.02)),
        ("leak, quadratic, R²", order.leak_quadratic, None),
        ("order, Spearman", order.spearman, Reach(low=0.85)),
        ("order in a frame, Spearman", score.order_rho, None),
        ("defects, AUC", order.defect_auc, Reach(low=0.97)),
        ("disorder, AUC", order.disorder_auc, None),
    ):
        yield Row(what, where, value, reach)


def _position_rows(where: str, positions: PositionFigures) -> Iterator[Row]:
    dose = where.rpartition(", ")[2]
    yield Row("slope", where, positions.slope, SLOPE[dose])
    yield Row("network's slope", where, positions.net_slope)
    yield Row("RMSD / bound", where, positions.rmsd_over_bound, OVER_BOUND[dose])
    yield Row("within one sigma", where, positions.in_one_sigma, ONE_SIGMA)
