"""TensorFlow Lite Micro's interpreter on this machine: whether it runs a file, and with how much memory."""

import struct
from pathlib import Path
from typing import Any

from fieldguide.errors import OptionError
from fieldguide.modelfile.exports.litert.standard_error import caught

PACKAGE = "tflite-micro"
STEP = 1024
"""Bytes to which the memory is found."""
MOST = 64 << 20
"""Bytes that no board has."""
DAMAGED = "it is no LiteRT file, or a damaged one; export it again"


def micro_interpreter(path: Path, arena: int | None = None) -> Any:
    """Load a file.

    Parameters
    ----------
    path
        A LiteRT file.
    arena
        Bytes of memory that it may use beside the file; None gives it as much as it can want.

    Raises
    ------
    OptionError
        If the interpreter is not installed, or cannot run the file in that memory.
    """
    runtime = micro_runtime()
    with caught() as said:
        try:
            interpreter = runtime.Interpreter.from_bytes(path.read_bytes(), arena_size=arena or MOST)
        except (RuntimeError, struct.error, TypeError, ValueError) as error:
            reason = said() or (str(error) if isinstance(error, RuntimeError) else DAMAGED)
            raise OptionError(f"{path}: TensorFlow Lite Micro cannot run it: {reason}") from error
    return interpreter


def micro_runtime() -> Any:
    """Its Python module, which is optional.

    Raises
    ------
    OptionError
        If it is not installed.
    """
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ModuleNotFoundError as error:
        raise OptionError(
            f"check: runs the file in TensorFlow Lite Micro, which is not installed; run: "
            f"pip install {PACKAGE} (Linux on x86-64), or leave --check out"
        ) from error
    return runtime


def arena_bytes(path: Path) -> int:
    """The least memory that a file needs beside itself, in bytes, rounded up to 1,024.

    Raises
    ------
    OptionError
        If TensorFlow Lite Micro is not installed, or cannot run the file at all.
    """
    low, high = 0, STEP
    while not _fits(path, high):
        low, high = high, 2 * high
        if high > MOST:
            micro_interpreter(path)  # says why
            raise OptionError(f"{path}: needs more than {MOST} bytes of memory")
    while high - low > STEP:
        middle = (low + high) // (2 * STEP) * STEP
        low, high = (low, middle) if _fits(path, middle) else (middle, high)
    return high


def memory_sentence(file: int, arena: int) -> str:
    """What a board must have room for."""
    return (
        f"a board needs {file / 1000:.0f} kB for the file and at most {arena / 1000:.0f} kB of memory "
        "(the arena, measured with 64 bits)"
    )


def _fits(path: Path, arena: int) -> bool:
    try:
        micro_interpreter(path, arena)
    except OptionError:
        return False
    return True
