"""Everything that is measured on simulated frames that no training used."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

from inference.analyse import Analyser
from inference.evaluation.averages import mean_figures, mean_of_numbers
from inference.evaluation.comparison import Comparison
from inference.evaluation.conditions import (
    CONDITIONS,
    NOMINAL,
    Condition,
    compared,
    exposed,
    specimens,
)
from inference.evaluation.displaced import DISORDERS, Disorder, displaced_scene
from inference.evaluation.equivariance import equivariance_deg
from inference.evaluation.json_figures import as_json
from inference.evaluation.order import OrderFigures, order_figures
from inference.evaluation.positions import PositionFigures, position_figures
from inference.evaluation.scoring import Score, score_of
from streamer.frame import JsonValue
from streamer.simulator.microscope import Microscope, scaled_microscope

type Report = Callable[[int, int], None]
"""Called with what is done and what there is to do."""

DOSES = {"4 x dose": 4.0, "nominal dose": 1.0, "1/4 dose": 0.25}
"""At which displaced lattices are measured."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """One displaced lattice, at one dose."""

    disorder: Disorder
    dose: str
    """Of `DOSES`."""
    size_px: int = 1024

    @property
    def name(self) -> str:
        """What the table calls it."""
        return f"{self.disorder.name}, {self.dose}"

    @property
    def microscope(self) -> Microscope:
        """The acquisition, at the nominal pixel size."""
        return scaled_microscope(
            self.size_px, 16 * self.size_px / 1024, DOSES[self.dose]
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated."""

    seeds: tuple[int, ...]
    """No training uses them."""
    frames: tuple[int, ...]
    """Of movies of 50."""
    conditions: tuple[Condition, ...]
    lattices: tuple[Lattice, ...]

    @property
    def steps(self) -> int:
        """Frames that are analysed."""
        movies = len(self.conditions) * len(self.frames)
        return len(self.seeds) * (movies + len(self.lattices))


FULL = Plan(
    seeds=(1001, 1002),
    frames=(3, 14, 25, 36, 47),
    conditions=CONDITIONS,
    lattices=tuple(Lattice(disorder, dose) for disorder in DISORDERS for dose in DOSES),
)
QUICK = Plan(
    seeds=(1001,),
    frames=(3, 25),
    conditions=tuple(
        condition for condition in CONDITIONS if condition.dose in (1, 0.25)
    ),
    lattices=tuple(Lattice(DISORDERS[0], dose, size_px=768) for dose in DOSES),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything measured, by the name of the condition or of the lattice."""

    frames: dict[str, Score]
    """Means over frames and movies."""
    order: dict[str, OrderFigures]
    """Means over movies."""
    equivariance_deg: float
    """Mean over the nominal frames."""
    positions: dict[str, PositionFigures]
    """Means over seeds."""

    def as_json(self) -> dict[str, JsonValue]:
        """For a file or a card; what is not known is null."""
        return as_json(asdict(self))


def evaluate(analyser: Analyser, plan: Plan, report: Report) -> Figures:
    """Simulate what the plan says, analyse it, and compare with the truth."""
    steps = iter(range(1, plan.steps + 1))

    def done_one() -> None:
        report(next(steps), plan.steps)

    movies = [_film(analyser, plan, seed, done_one) for seed in plan.seeds]
    names = [condition.name for condition in plan.conditions]
    return Figures(
        frames={
            name: mean_figures(
                [score_of(frame) for movie in movies for frame in movie.frames[name]]
            )
            for name in names
        },
        order={
            name: mean_figures([order_figures(movie.frames[name]) for movie in movies])
            for name in names
        },
        equivariance_deg=mean_of_numbers(
            [error for movie in movies for error in movie.equivariance_deg]
        ),
        positions={
            lattice.name: mean_figures(
                list(_displace(analyser, plan, lattice, done_one))
            )
            for lattice in plan.lattices
        },
    )


@dataclass(frozen=True, slots=True)
class _Filmed:
    """One movie, analysed under every condition."""

    frames: dict[str, list[Comparison]]
    equivariance_deg: list[float]


def _film(
    analyser: Analyser, plan: Plan, seed: int, done_one: Callable[[], None]
) -> _Filmed:
    filmed = _Filmed({condition.name: [] for condition in plan.conditions}, [])
    for index, specimen in specimens(seed, plan.frames):
        for condition in plan.conditions:
            exposure = exposed(specimen, condition, seed, index)
            frame = compared(analyser, exposure)
            filmed.frames[condition.name].append(frame)
            if condition is NOMINAL:
                rng = np.random.default_rng([seed, index])
                filmed.equivariance_deg.append(
                    equivariance_deg(analyser, exposure.image, frame, rng)
                )
            done_one()
    return filmed


def _displace(
    analyser: Analyser, plan: Plan, lattice: Lattice, done_one: Callable[[], None]
) -> Iterator[PositionFigures]:
    for seed in plan.seeds:
        scene = displaced_scene(lattice.disorder, lattice.microscope, seed)
        yield position_figures(analyser, scene)
        done_one()
