"""What a report works from: one stream of a session, and the models that saw it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.model import Model
from inference.pixels import pixels_of
from inference.segment import Maps, segment
from streamer.analysis import ModelId
from streamer.frame import Frame
from streamer.session.atoms_table import species_codes
from streamer.session.reader import SessionReader
from streamer.session.records import AnalysisRecord, StreamRecord


@dataclass(frozen=True, slots=True)
class AtHand:
    """A model that is here, ready to run."""

    folder: Path
    model: Model


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """One stream, read as it is asked for; nothing of it is kept in memory."""

    session: SessionReader
    stream: StreamRecord
    analyses: tuple[AnalysisRecord, ...]
    """All that are committed, by `seq`; those without atoms too."""
    chosen: tuple[AnalysisRecord, ...]
    """Those that are shown as pictures."""
    models: Mapping[str, AtHand]
    """By the SHA-256 that analyses name; those whose files are not here are missing."""

    @property
    def used(self) -> tuple[ModelId, ...]:
        """The models of these analyses, in the order of their first frames."""
        return tuple(dict.fromkeys(record.model for record in self.analyses))

    def by(self, model: ModelId) -> tuple[AnalysisRecord, ...]:
        """The analyses that one model made: its latents are nobody else's."""
        return tuple(record for record in self.analyses if record.model == model)

    def frame(self, record: AnalysisRecord) -> Frame:
        """The frame as it arrived."""
        return self.session.frame(record.frame.stream_id, record.frame.seq)

    def atoms(
        self, record: AnalysisRecord, columns: Sequence[str]
    ) -> dict[str, NDArray[np.generic]]:
        """Columns of the atoms of one frame, NaN where a number is unknown.

        `species` as indices into `SPECIES`; a column that the frame's model does not
        give is all NaN. Nothing else of the file is decoded.
        """
        table = self.session.atoms_table(
            record.frame.stream_id, record.frame.seq, columns
        )
        found: dict[str, NDArray[np.generic]] = {
            name: np.full(len(table), np.nan, np.float32) for name in columns
        }
        for name in table.column_names:
            column = table[name]
            is_name = name == "species"
            found[name] = species_codes(column) if is_name else column.to_numpy()
        return found

    def maps(self, record: AnalysisRecord) -> Maps | None:
        """The probabilities by which this frame's atoms were found.

        They are not kept in a session: the same network sees the same frame again.
        None where the model's files are not here, and where there was nothing to see.
        """
        here = self.models.get(record.model.sha256)
        pixels = pixels_of(self.frame(record))
        if here is None or record.pixel_size_nm is None or not pixels.worth_analysing:
            return None
        card, network = here.model.card.dcnn, here.model.segment
        return segment(pixels.image, record.pixel_size_nm, card, network)


def evenly(records: Sequence[AnalysisRecord], count: int) -> list[AnalysisRecord]:
    """At most `count` of them, the first and the last among them."""
    if not records:
        return []
    places = np.linspace(0, len(records) - 1, min(count, len(records)))
    return [records[place] for place in np.rint(places).astype(int)]
