"""One frame all the way: from the bytes of its message to those of its atoms table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from atomstream.bench.timed_session import TimedSession
from inference.analyse import Analyser, History
from inference.model import Model
from inference.stopwatch import Stopwatch
from streamer.frame import Frame
from streamer.session.atoms_table import encode
from streamer.wire import Buffer, unpack


@dataclass(frozen=True, slots=True)
class Run:
    """One frame, once."""

    stages_ms: Mapping[str, float]
    """In their order: what the analysis says of itself, and what is around it."""
    total_ms: float
    dcnn_ms: float
    """In the network that sees atoms, without what prepares its input."""
    encoder_ms: float
    pixels: int
    """That the network was given."""
    atoms: int

    @property
    def rest_ms(self) -> float:
        """Neither networks nor refinement."""
        refine_ms = self.stages_ms.get("refine", 0.0)
        return self.total_ms - self.dcnn_ms - self.encoder_ms - refine_ms


class Way:
    """The path of frames through one model, by one clock."""

    def __init__(
        self,
        model: Model,
        *,
        refine: bool,
        beside: bool = True,
        clock: Callable[[], float],
    ) -> None:
        self._dcnn = TimedSession(model.dcnn, clock)
        self._encoder = TimedSession(model.encoder, clock)
        timed = replace(model, dcnn=self._dcnn, encoder=self._encoder)
        self._analyser = Analyser(timed, refine=refine, beside=beside, clock=clock)
        self._clock = clock

    def go(self, message: Sequence[Buffer]) -> Run:
        """Decode a frame's message, analyse it, and write its table to memory."""
        dcnn, encoder = self._dcnn.seconds, self._encoder.seconds
        pixels = self._dcnn.values
        watch = Stopwatch(self._clock)
        frame = unpack(message).message
        if not isinstance(frame, Frame):
            raise TypeError(f"a message of {type(frame).__name__}, expected a frame")
        watch.lap("decode")
        analysis = self._analyser.analyse(frame, History())
        watch.lap("analysis")
        encode(analysis, stream_number=0)
        watch.lap("table")
        total_ms = watch.total_s * 1e3
        around = watch.laps_ms
        return Run(
            stages_ms={
                "decode": around["decode"],
                **analysis.stages_ms,
                "table": around["table"],
            },
            total_ms=total_ms,
            dcnn_ms=(self._dcnn.seconds - dcnn) * 1e3,
            encoder_ms=(self._encoder.seconds - encoder) * 1e3,
            pixels=self._dcnn.values - pixels,
            atoms=len(analysis.atoms),
        )
