"""A model that is there, of which one network is taken over into a new one."""

from dataclasses import dataclass
from pathlib import Path

from inference.catalogue import find_model
from inference.model import Model, load_model
from inference.training.kinds import KINDS
from inference.training.subimage_set import Sight
from inference.training.wish import EncoderWish
from streamer.errors import ModelError
from streamer.frame import JsonValue


@dataclass(frozen=True, slots=True)
class BaseModel:
    """Such a model, loaded."""

    folder: Path
    model: Model

    @classmethod
    def load(cls, name_or_folder: str, folder: Path, threads: int) -> "BaseModel":
        """A model by name or folder, for one that is made in `folder`.

        Raises
        ------
        ModelError
            As for `load_model`, or both are in the same folder.
        """
        base = find_model(name_or_folder)
        if base.resolve() == folder.resolve():
            raise ModelError(
                f"{folder} is the model to start from; choose another folder"
            )
        return cls(base, load_model(name_or_folder, threads))

    @property
    def facts(self) -> dict[str, JsonValue]:
        """What tells it from another model."""
        return {"name": self.model.card.name, "card_sha256": self.model.id.sha256}

    def sight(self, wish: EncoderWish) -> Sight:
        """What such an encoder gets to see through its segmentation network."""
        card = self.model.card.dcnn
        describer = KINDS[wish.kind].describer(wish.recipe, card.pixel_size_nm)
        return Sight(self.model.segment, card, describer)
