"""What a worker sent back, compared with what it was asked."""

from inference.engines.cluster.worker import Order, Packed
from inference.engines.engine import Job
from streamer.analysis import Analysis
from streamer.errors import EngineError, WireError
from streamer.wire import unpack


def answer_to(order: Order, job: Job, parts: Packed) -> Analysis:
    """The analysis that a worker sent, if it is that of the frame and by the model.

    Raises
    ------
    WireError
        It is damaged, or no analysis.
    EngineError
        It is another frame's or another model's.
    """
    analysis = unpack(parts).message
    if not isinstance(analysis, Analysis):
        raise WireError(f"a {type(analysis).__name__.lower()}, expected an analysis")
    if (analysis.stream, analysis.seq) != (job.frame.stream, job.frame.seq):
        raise EngineError(
            f"a worker answered with frame {analysis.seq} of {analysis.stream.id}, "
            f"expected {job.frame.seq} of {job.frame.stream.id}"
        )
    if analysis.model.sha256 != order.model_sha256:
        raise EngineError(
            f"a worker answered with model {analysis.model.sha256[:12]}…, "
            f"expected {order.model_sha256[:12]}…"
        )
    return analysis
