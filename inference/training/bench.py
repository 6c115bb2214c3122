"""Where a model is made, and how its making is followed and stopped."""

import platform
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from inference.card import CARD_FILE, Card
from inference.training.code_hash import code_sha256
from inference.training.export import write_card
from inference.training.fitting import KEEP_EVERY_S, Fit, Kept, run
from inference.training.progress import Progress
from inference.training.scaled import trial_in_words
from inference.training.unfinished import Plan, Unfinished, unfinished, writable
from streamer.frame import JsonValue

type Stage = Callable[[str], AbstractContextManager[Progress]]
"""A named part of the work, with something to report progress to."""
type Hold = Callable[[], AbstractContextManager[Callable[[], bool]]]
"""Block in which a wish to stop is only noted, with the function that tells of it."""
type Measure = Callable[[Path, Progress], dict[str, JsonValue]]
"""How good the model in a folder is, for its card."""


def never_stopping() -> AbstractContextManager[Callable[[], bool]]:
    """A `Hold` for work that nobody wishes to stop."""
    return nullcontext(lambda: False)


@dataclass(frozen=True, slots=True)
class Bench:
    """What a training needs besides its recipe."""

    folder: Path
    """Becomes the model."""
    stage: Stage
    measure: Measure | None = None
    hold: Hold = never_stopping
    device: str = "cpu"
    threads: int = 2
    restart: bool = False
    """Whether what the folder has of another training is given up."""
    scale: float = 1.0
    """Share of the recipe that is done; the card tells of less than 1."""
    keep_every_s: float = KEEP_EVERY_S

    @contextmanager
    def begin(self, plan: Plan) -> Iterator[Unfinished]:
        """Block that makes the model, and finds what a killed run of it left."""
        torch.set_num_threads(self.threads)
        whole = {**plan, "threads": self.threads, "device": self.device}
        with unfinished(self.folder, whole, restart=self.restart) as held:
            # Until it is finished, what is in the folder is no model any more.
            with writable(self.folder):
                (self.folder / CARD_FILE).unlink(missing_ok=True)
            yield held

    def fit(self, name: str, fit: Fit, steps: int, held: Unfinished) -> float:
        """Take all steps of a fit; the seconds that they took."""
        with self.stage(f"training the {name}") as report, self.hold() as stopping:
            kept = Kept(held, f"{name}.pt", self.keep_every_s, stopping=stopping)
            return run(fit, steps, kept, report)

    def finish(self, card: Card) -> None:
        """Write the card, at last with what was measured."""
        if self.scale < 1:
            notes = (*card.notes, trial_in_words(self.scale))
            card = card.model_copy(update={"notes": notes})
        with writable(self.folder):
            write_card(self.folder, card)
        if self.measure is None:
            return
        with self.stage("measuring") as report:
            accuracy = self.measure(self.folder, report)
        with writable(self.folder):
            write_card(self.folder, card.model_copy(update={"accuracy": accuracy}))

    def provenance(self, plan: Plan, seconds: float) -> dict[str, JsonValue]:
        """Plan of a network, versions and time: enough to make it again."""
        return {
            **plan,
            "versions": {
                name: version(name) for name in ("atomstream", "torch", "numpy", "onnx")
            },
            "code_sha256": code_sha256(),
            "machine": f"{platform.machine()}, {self.device}, {self.threads} threads",
            "training_minutes": round(seconds / 60, 1),
        }
