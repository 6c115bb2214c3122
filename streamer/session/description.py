"""The line of JSON by which our TIFF files keep what TIFF itself has no place for.

It stands in the image description, where ImageJ ignores keys that it does not know:

    atomstream.1={"stream": {…}, "frames": [{"seq": 0, "pixel_size_nm": 0.0156, …}]}
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from streamer.frame import JsonValue, Stream
from streamer.session.acquisition import Acquisition

KEY = "atomstream.1"
"""The number is the version of what follows."""


@dataclass(frozen=True, slots=True)
class Description:
    """Stream, numbers and acquisitions of the images of a file, in their order."""

    stream: Stream
    seqs: Sequence[int]
    acquisitions: Sequence[Acquisition]

    def to_json(self) -> str:
        """One line of ASCII, as TIFF wants it."""
        return json.dumps(
            {
                "stream": {
                    "id": self.stream.id,
                    "source": self.stream.source,
                    "channel": self.stream.channel,
                },
                "frames": [
                    {"seq": seq, **acquisition.to_json()}
                    for seq, acquisition in zip(
                        self.seqs, self.acquisitions, strict=True
                    )
                ],
            }
        )


def find(text: str) -> Description | None:
    """The description within a TIFF's image description; None if it is not our file.

    Raises
    ------
    ValueError
        The line is there and damaged.
    """
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key == KEY:
            return _parse(json.loads(value))
    return None


def _parse(record: JsonValue) -> Description:
    if not isinstance(record, dict):
        raise ValueError("the description is not a map")
    frames = record.get("frames")
    if not isinstance(frames, list) or not all(isinstance(f, dict) for f in frames):
        raise ValueError("the description names no frames")
    # Popped, because what remains of a record is the acquisition.
    seqs = [frame.pop("seq", None) for frame in frames if isinstance(frame, dict)]
    if not all(isinstance(seq, int) for seq in seqs):
        raise ValueError("the description has frames without a number")
    acquisitions = [Acquisition.from_json(frame) for frame in frames]
    return Description(
        _stream(record.get("stream")),
        [seq for seq in seqs if isinstance(seq, int)],
        acquisitions,
    )


def _stream(record: JsonValue) -> Stream:
    names = ("id", "source", "channel")
    if not isinstance(record, dict):
        raise ValueError("the description names no stream")
    values = [record.get(name) for name in names]
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) != len(names):
        raise ValueError("the description's stream lacks id, source or channel")
    return Stream(*texts)
