"""All figures of all recordings of graphene in a folder of real frames."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from inference.analyse import Analyser
from inference.evaluation.json_figures import as_json
from inference.evaluation.real.disturbed import Agreement, with_noise, with_wrong_scale
from inference.evaluation.real.folder import Recording, sheets_in
from inference.evaluation.real.labelled import LabelsFound, labels_found
from inference.evaluation.real.seen import look
from inference.evaluation.real.sheet_figures import (
    InContamination,
    SheetFigures,
    in_contamination,
    sheet_figures,
)
from streamer.frame import JsonValue

NOISE_FACTORS = (2.0, 3.0)
SCALES = (0.8, 1.2)


@dataclass(frozen=True, slots=True)
class RecordingFigures:
    """One recording."""

    name: str
    frames: int
    silicon_counts: tuple[int, ...]
    """Si found in each frame."""
    labels: LabelsFound | None
    """None where nobody has labelled anything."""
    sheet: SheetFigures
    contamination: InContamination
    noise: dict[float, Agreement]
    """By how many times the frames' own noise they were given."""
    scale: dict[float, Agreement]
    """By how many times too wide pixels were said to be."""
    flags: tuple[str, ...]
    """All that were raised on the frames as they are."""

    def as_json(self) -> dict[str, JsonValue]:
        """Everything, counts included; what is not known is null."""
        return as_json(asdict(self))


def real_figures(
    analyser: Analyser, folder: Path, report: Callable[[int, int], None]
) -> list[RecordingFigures]:
    """Everything that is measured on real frames.

    Raises
    ------
    StackError
        The folder does not hold what its manifest says.
    """
    recordings = sheets_in(folder)
    figures = []
    for done, recording in enumerate(recordings, start=1):
        figures.append(recording_figures(analyser, recording))
        report(done, len(recordings))
    return figures


def recording_figures(analyser: Analyser, recording: Recording) -> RecordingFigures:
    """Everything that is measured on one recording."""
    seen = [
        look(analyser, recording, number) for number in range(len(recording.images))
    ]
    return RecordingFigures(
        name=recording.name,
        frames=len(seen),
        silicon_counts=tuple(int(frame.silicon.sum()) for frame in seen),
        labels=labels_found(seen, recording.labels) if recording.labels else None,
        sheet=sheet_figures(seen),
        contamination=in_contamination(seen),
        noise={
            factor: with_noise(analyser, recording, seen, factor)
            for factor in NOISE_FACTORS
        },
        scale={
            scale: with_wrong_scale(analyser, recording, seen, scale)
            for scale in SCALES
        },
        flags=tuple(sorted({flag for frame in seen for flag in frame.flags})),
    )
