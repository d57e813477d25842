"""ONNX Runtime sessions, set up in one place."""

import functools
from pathlib import Path
from typing import Any

import onnxruntime

from fieldguide.errors import ModelFileError

_OF_EVERY_SESSION: dict[str, str] = {}


@functools.cache
def bound_memory(most: int) -> None:
    """Bound what all networks of this process together may take; one that asks for more fails, alone.

    A graph may need little for one input and everything for another. Call it once, before models are loaded.

    Parameters
    ----------
    most
        Bytes for weights and for what runs. ONNX Runtime keeps what it took, for the next run.
    """
    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg({"max_mem": most}))
    _OF_EVERY_SESSION["session.use_env_allocators"] = "1"


def open_session(content: bytes | Path, path: str, threads: int) -> Any:
    """Make a session from the bytes of a checked model file, or from a file that fieldguide wrote itself.

    Parameters
    ----------
    content
        What runs; a path lets ONNX Runtime map a large file instead of copying it.
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
    for name, value in _OF_EVERY_SESSION.items():
        options.add_session_config_entry(name, value)
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
