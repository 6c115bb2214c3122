"""One ONNX network, loaded."""

from pathlib import Path

from inference.device import Device, check_providers, wanted_providers
from inference.runtime import onnxruntime
from streamer.errors import ModelError


def open_session(
    content: bytes, path: Path, threads: int, device: Device = Device.CPU
) -> onnxruntime.InferenceSession:
    """The network in the content of a file.

    Parameters
    ----------
    path
        Of the file; names it in errors.
    threads
        For ONNX Runtime within the network.

    Raises
    ------
    ModelError
        It is no network.
    SettingsError
        It cannot run on `device`.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads sleep: the microscope's frames are seconds apart, and the other
    # core belongs to the receiver and the page.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # What a network keeps in other files has no hash on its card: it finds none.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(path / "nowhere")
    )
    providers = wanted_providers(device, onnxruntime.get_available_providers())
    try:
        session = onnxruntime.InferenceSession(content, options, providers=providers)
    except Exception as error:  # ONNX Runtime has its own tree of errors
        reason = " ".join(str(error).split())
        raise ModelError(f"{path} is not a network: {reason:.200}") from error
    check_providers(device, session.get_providers())
    return session
