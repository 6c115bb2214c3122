"""Where the methods that a report compares come from."""

from dataclasses import dataclass
from pathlib import Path

from atomstream.report.material import AtHand
from inference.model import load_model
from inference.paper_methods.method import (
    SHIPPED,
    Method,
    lies_as,
    limits_of,
    own_encoder,
    paper_rvae,
    trained_methods,
)
from inference.paper_methods.window_size import WindowSize

SHIPPED_RVAE = "graphene-si-paper"
"""The paper's rVAE for small windows; the others lie in `SHIPPED`."""
RETRAINED = {"own": "default", "networks": "paper-methods"}
"""Folders of what was trained on the session itself, and the rVAEs beside them."""


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """The networks that are used."""

    own: AtHand
    """The model whose encoder is ours."""
    networks: Path
    """Folder of the networks by the paper's methods."""
    retrained: Path | None
    """Folder of what was trained on the session itself."""
    lies_deg: float | None
    """How the sheet has to lie; None where they have learnt this session's."""

    def methods(self, window: WindowSize, turn_rad: float) -> list[Method]:
        """All but the mixture, the paper's rVAE last but one and ours last.

        Raises
        ------
        ModelError
            Files of one of them are damaged.
        """
        trained = trained_methods(self.networks, window)
        rvae = self._rvae(window)
        learnt_from = "simulation" if self.retrained is None else "this session"
        own = own_encoder(self.own.model, str(self.own.folder), learnt_from, turn_rad)
        return [*trained, *([rvae] if rvae else []), own]

    def _rvae(self, window: WindowSize) -> Method | None:
        if self.retrained is not None:
            folder = self.retrained / f"paper-{window}"
            return paper_rvae(str(folder), "this session") if folder.is_dir() else None
        return paper_rvae(SHIPPED_RVAE, "simulation") if window == "small" else None

    def words(self, window: WindowSize) -> str:
        """Where they come from and what they cannot do, for a caption."""
        told = (
            "The convolutional autoencoder, the plain VAE and the paper's rVAE (its "
            "authors' layers and loss) were trained on one simulated movie, not on "
            "this session."
            if self.retrained is None
            else "All networks were trained on sub-images of this session."
        )
        return " ".join([told, *limits_of(self.networks, window)])


def sources(by: AtHand, retrained: Path | None) -> Sources:
    """What is shipped, or what was trained on the session.

    Parameters
    ----------
    by
        The model that saw the session.

    Raises
    ------
    ModelError
        Files are missing or damaged.
    """
    if retrained is None:
        return Sources(by, SHIPPED, None, lies_as(SHIPPED))
    folder = retrained / RETRAINED["own"]
    own = AtHand(folder, load_model(str(folder), by.model.threads))
    return Sources(own, retrained / RETRAINED["networks"], retrained, None)
