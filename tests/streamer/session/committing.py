"""A process that commits frames and analyses until it is killed.

Says on its standard output what is committed, as soon as it is: "frame 3".
"""

import math
import sys
from pathlib import Path

import numpy as np

from streamer.analysis import Analysis, Flag, ModelId, Preview, Summary
from streamer.atoms import FIXED_COLUMNS, Atoms
from streamer.frame import Frame, Stream
from streamer.session.analyst import AnalysisRecorder
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder

STREAM = Stream("5f0c", "SuperScan", "HAADF")
MODEL = ModelId("compact", "ab" * 32, ("crystallinity",), 2.0)


def frame_of(seq: int) -> Frame:
    image = np.random.default_rng(seq).normal(size=(128, 128)).astype(np.float32)
    return Frame(STREAM, seq, image, pixel_size_nm=0.0156, metadata={"seq": seq})


def atoms_of(seq: int) -> Atoms:
    names = [*FIXED_COLUMNS, *MODEL.latents]
    return Atoms.from_columns({name: np.full(200, seq % 2) for name in names})


def analysis_of(frame: Frame) -> Analysis:
    return Analysis(
        stream=frame.stream,
        seq=frame.seq,
        model=MODEL,
        provider="CPUExecutionProvider",
        shape=frame.shape,
        pixel_size_nm=frame.pixel_size_nm,
        origin_nm=frame.origin_nm,
        time_s=math.nan,
        dose_e_nm2=math.nan,
        completeness=frame.completeness,
        flags=(Flag.PARTIAL,),
        atoms=atoms_of(frame.seq),
        summary=Summary({"C": 200}, 4.0, 50.0, 0.0, 0.142, 0.5),
        stages_ms={"segment": 1.0},
        latency_s=0.1,
        preview=Preview(np.zeros((128, 128), np.uint8), 0.0, 1.0),
    )


def commit(folder: Path) -> None:
    with (
        FrameRecorder(folder) as recorder,
        AnalysisRecorder(folder) as analyst,
        SessionReader(folder) as session,
    ):
        for key in session.pending():
            analyst.commit_analysis(analysis_of(frame_of(key.seq)))
        for seq in range(session.next_seq(STREAM.id), sys.maxsize):
            frame = frame_of(seq)
            recorder.commit_frame(frame, received_ns=0)
            sys.stdout.write(f"frame {seq}\n")
            sys.stdout.flush()
            analyst.commit_analysis(analysis_of(frame))
            sys.stdout.write(f"analysis {seq}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    commit(Path(sys.argv[1]))
