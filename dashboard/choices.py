"""How a viewer wants frames drawn, whichever frame is shown."""

from dataclasses import dataclass, replace

from dashboard.axis import Axis


@dataclass(frozen=True, slots=True)
class Choices:
    """One page's own; what the browser does by itself is not here."""

    dots: bool = True
    """Atoms are marked on the frame."""
    folded: bool = False
    """Angles half a period apart have the same colour."""
    axis: Axis = Axis.FRAMES
    """Over what plots over time are drawn."""

    def granting(self, verb: object, what: object) -> "Choices":
        """These choices after a wish; what is no wish about them changes nothing."""
        match verb, what:
            case "atoms", int(on):
                return replace(self, dots=bool(on))
            case "fold", int(on):
                return replace(self, folded=bool(on))
            case "axis", str(name) if name in Axis:
                return replace(self, axis=Axis(name))
            case _:
                return self
