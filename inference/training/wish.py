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
    def facts(self) -> Plan:
        """For its card, and for a run that goes on with this one."""
        return {"kind": self.kind, "recipe": asdict(self.recipe)}

    @property
    def plan(self) -> Plan:
        """What a run that goes on with this one must have been told too."""
        return {"encoder": self.facts}
