"""How a viewer wants frames drawn, whichever frame is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dashboard.axis import Axis


@dataclass(frozen=True, slots=True)
class Choices:
    """One page's own; what the browser does by itself is not here."""

    dots: bool = True
    """Atoms are marked on the frame."""
    folded: bool = False
    """Angles half a period apart have the same colour."""
    mapped: str = ""
    """Quantity of the third map, where a model has it; "" for the most telling."""
    axis: Axis = Axis.FRAMES
    """Over what plots over time are drawn."""

    def wishes(self) -> dict[str, int | str]:
        """By verb, the wishes that make these choices out of any others.

        They stand in links, so that a page which a link opens looks the same.
        """
        return {
            "atoms": int(self.dots),
            "fold": int(self.folded),
            "map": self.mapped,
            "axis": str(self.axis),
        }

    def granting_all(self, wishes: Mapping[str, object]) -> "Choices":
        """These choices after wishes by verb, as they stand in links."""
        choices = self
        for verb, what in wishes.items():
            choices = choices.granting(verb, what)
        return choices

    def granting(self, verb: object, what: object) -> "Choices":
        """These choices after a wish; what is no wish about them changes nothing."""
        match verb, what:
            case "atoms", int(on):
                return replace(self, dots=bool(on))
            case "fold", int(on):
                return replace(self, folded=bool(on))
            case "map", str(quantity):
                return replace(self, mapped=quantity)
            case "axis", str(name) if name in Axis:
                return replace(self, axis=Axis(name))
            case _:
                return self
