"""How the networks of a report are trained."""

from dataclasses import dataclass, field, replace

from inference.card import read_card
from inference.catalogue import find_model
from inference.paper_methods.window_size import WindowSize
from inference.training.baselines import BaselineRecipe
from inference.training.fit_paper_rvae import PaperRvaeRecipe
from inference.training.scaled import scaled

SHIPPED_RVAE = "graphene-si-paper"
"""The paper's rVAE for small windows; it knows one orientation of the sheet."""


@dataclass(frozen=True, slots=True)
class MethodsRecipe:
    """Everything that the networks depend on, besides the windows."""

    baselines: BaselineRecipe = field(
        default_factory=lambda: BaselineRecipe(steps=2500)
    )
    rvae: PaperRvaeRecipe = field(
        default_factory=lambda: PaperRvaeRecipe(share=0.1, steps=5000)
    )
    windows: tuple[WindowSize, ...] = ("small", "large")
    """Sizes, of a session; of simulation always both."""
    rvae_windows: tuple[WindowSize, ...] = ("large",)
    """Sizes for which an rVAE is trained too: for small windows one is shipped."""
    orientation_deg: float | None = None
    """Of the simulated sheet; None: any."""
    seed: int = 1

    def scaled(self, scale: float) -> "MethodsRecipe":
        """The recipe with this share, 0 to 1, of its frames and steps."""
        return replace(
            self,
            baselines=scaled(self.baselines, scale),
            rvae=scaled(self.rvae, scale),
        )


def methods_recipe(seed: int, steps: int | None) -> MethodsRecipe:
    """The recipe as it is meant, or with as many steps for each network.

    The sheet lies as in the training of the rVAE that is shipped, so that one turn
    brings any sheet to where all networks know it.
    """
    usual = MethodsRecipe(seed=seed)
    told = read_card(find_model(SHIPPED_RVAE)).encoder.provenance["orientation_deg"]
    rvae, baselines = usual.rvae, usual.baselines
    return replace(
        usual,
        orientation_deg=float(str(told)),
        rvae=replace(rvae, seed=seed, steps=steps or rvae.steps),
        baselines=replace(baselines, seed=seed, steps=steps or baselines.steps),
    )
