"""ONNX Runtime sessions of model files, set up in one place."""

from typing import Any

import onnxruntime

from fieldguide.errors import ModelFileError


def open_session(content: bytes, path: str, threads: int) -> Any:
    """Make a session from the bytes of a checked model file.

    Parameters
    ----------
    content
        What runs.
    path
        Where it was read; for messages only.
    threads
        For the network, 1 or more.

    Raises
    ------
    ModelFileError
        If ONNX Runtime cannot load it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Threads that wait by spinning would take the cores from the threads that decode.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Without this, ONNX Runtime takes bytes with "ORTM" in the fifth place for its own, unchecked format.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own kinds of exceptions have no common base
        raise ModelFileError(
            f"{path}: ONNX Runtime {onnxruntime.__version__} cannot load it: {reason_of(error)}"
        ) from error


def reason_of(error: Exception) -> str:
    """The first line of what ONNX Runtime says, cut to a readable length."""
    text = (str(error).splitlines() or [""])[0] or type(error).__name__
    return text if len(text) <= 200 else text[:200] + "…"
