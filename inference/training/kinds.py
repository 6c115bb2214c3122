"""The encoders that can be trained: what each sees, how it learns, what it writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from inference.card import EncoderCard
from inference.describe import Describer, Harmonics
from inference.harmonics import Rings
from inference.paper_methods.window_size import windows_of
from inference.training.export import (
    encoder_card,
    export_decoder,
    export_encoder,
)
from inference.training.export_paper_rvae import export_paper_fit
from inference.training.fit_paper_rvae import PaperFit, PaperRvaeRecipe
from inference.training.fit_rvae import RvaeFit, RvaeRecipe
from inference.training.fitting import Fit
from inference.training.footage import Footage
from inference.training.paper_rvae import RotationLoss
from inference.training.subimage_set import SubImageSet
from inference.training.window_set import WindowSet

DEFAULT_KIND = "default"
RINGS = Rings(
    # Dense to 0.5 nm, the radius within which order is asked for; one more where the
    # bonds of the outermost atoms end, and one for the atom itself.
    radii_nm=(0.02, 0.07, 0.14, 0.21, 0.28, 0.35, 0.42, 0.49, 0.6),
    sigma_nm=0.045,
    # Nearly as many as the distance of neighbouring atoms can make vary around the
    # ring; eighty in all, since matrix products are quickest with whole sixteens.
    max_orders=(0, 2, 6, 9, 10, 11, 11, 11, 11),
    pixel_size_nm=0.06,
)


class EncoderRecipe(Protocol):
    """What the recipes of all kinds have; a frozen dataclass."""

    @property
    def footage(self) -> Footage:
        """Simulated movies that the sub-images come from."""

    @property
    def steps(self) -> int:
        """Batches that are learnt from."""

    @property
    def seed(self) -> int:
        """Of whatever is drawn."""


@dataclass(frozen=True, slots=True)
class EncoderKind[R: EncoderRecipe, F: Fit]:
    """One design of an encoder."""

    recipe: R
    """As it is meant to be trained."""
    describer: Callable[[R, float], Describer]
    """What it gets to see, from maps of this pixel size in nm."""
    fit: Callable[[SubImageSet, R, str], F]
    """Its training, on a device."""
    untold: Callable[[R], R]
    """The recipe for sub-images about which no truth is known."""
    found: tuple[str, ...]
    """Latents that it finds by itself, one of which is to be crystallinity where no
    truth is known; none, where the export reads that off anyway."""
    export: Callable[[F, Path], EncoderCard]
    """Write its files to a folder."""


def _describer_default(_recipe: RvaeRecipe, maps_nm: float) -> Describer:
    return Harmonics(RINGS, maps_nm)


def _fit_default(data: SubImageSet, recipe: RvaeRecipe, device: str) -> RvaeFit:
    return RvaeFit(data, RINGS, recipe, device)


def _untold_default(recipe: RvaeRecipe) -> RvaeRecipe:
    return replace(recipe, movies=0, order_weight=0.0, angle_weight=0.0)


def _export_default(fit: RvaeFit, folder: Path) -> EncoderCard:
    export_encoder(fit.trained.encoder, folder)
    decoder = export_decoder(fit.trained.decoder, RINGS, folder)
    return encoder_card(folder, RINGS, decoder)


def _describer_paper(recipe: PaperRvaeRecipe, maps_nm: float) -> Describer:
    return windows_of(recipe.window, maps_nm)


def _fit_paper(data: SubImageSet, recipe: PaperRvaeRecipe, device: str) -> PaperFit:
    return PaperFit(WindowSet.of(data), recipe, device)


def _untold_paper(recipe: PaperRvaeRecipe) -> PaperRvaeRecipe:
    # Of a session a share is drawn, and a share of that held out, before.
    return replace(recipe, movies=0, frames=0, share=1.0, test_share=0.0)


def _paper_kind(loss: RotationLoss) -> EncoderKind[PaperRvaeRecipe, PaperFit]:
    return EncoderKind(
        recipe=PaperRvaeRecipe(loss=loss),
        describer=_describer_paper,
        fit=_fit_paper,
        untold=_untold_paper,
        found=(),
        export=export_paper_fit,
    )


# Recipes and fits of different kinds have nothing else in common.
KINDS: Mapping[str, EncoderKind[Any, Any]] = {
    DEFAULT_KIND: EncoderKind(
        recipe=RvaeRecipe(),
        describer=_describer_default,
        fit=_fit_default,
        untold=_untold_default,
        found=("z1", "z2"),
        export=_export_default,
    ),
    "paper": _paper_kind("authors"),
    "printed": _paper_kind("printed"),
}
