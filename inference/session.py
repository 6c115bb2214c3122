"""One ONNX network, checked and loaded."""

from pathlib import Path

import onnxruntime

from inference.catalogue import checked_bytes
from streamer.errors import ModelError


def open_session(
    folder: Path, file: str, sha256: str, threads: int
) -> onnxruntime.InferenceSession:
    """The network in a model's file.

    Parameters
    ----------
    sha256
        Of the file, as its card states it.
    threads
        For ONNX Runtime within the network.

    Raises
    ------
    ModelError
        The file is not there, is another one, or is no network.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads sleep: the microscope's frames are seconds apart, and the other
    # core belongs to the receiver and the page.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    content = checked_bytes(folder, file, sha256)
    try:
        return onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime has its own tree of errors
        raise ModelError(f"{folder / file} is not a network: {error!s:.200}") from error
