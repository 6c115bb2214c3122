"""Which encoder is wanted."""

from dataclasses import asdict, dataclass
from typing import Any

from inference.training.unfinished import Plan


@dataclass(frozen=True, slots=True)
class EncoderWish:
    """An encoder that is to be trained."""

    kind: str
    """Of `inference.training.kinds`."""
    recipe: Any
    """Of that kind."""

    @property
    def plan(self) -> Plan:
        """What a run that goes on with this one must have been told too."""
        return {"kind": self.kind, "encoder": asdict(self.recipe)}
