"""The command line: parse, call one function, turn what went wrong into one line and an exit code.

0 done; 1 done, but some inputs were refused; 2 cannot start: one line says what, where and what to do;
130 interrupted, 143 told to end, with what was finished kept; 141 whoever read the output has left.
"""

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any, NoReturn, TextIO

from fieldguide import __version__
from fieldguide.commands import COMMANDS, Command
from fieldguide.errors import FieldguideError
from fieldguide.terminal import say

CANNOT_START, INTERRUPTED, READER_LEFT, TERMINATED = 2, 130, 141, 143

EXTRAS = {
    **dict.fromkeys(("torch", "torchvision", "timm", "onnx", "onnxscript"), "train"),
    **dict.fromkeys(("sklearn", "scipy", "safetensors", "lightning_fabric", "filelock"), "train"),
    **dict.fromkeys(("optuna", "matplotlib"), "train"),
    **dict.fromkeys(("fastapi", "uvicorn", "prometheus_client", "python_multipart"), "serve"),
    **dict.fromkeys(("starlette", "pydantic"), "serve"),
    "pyarrow": "parquet",
    "pillow_heif": "heic",
}
"""Which extra of the package brings a library that is missing."""


class Terminated(BaseException):
    """SIGTERM, as an exception so that temporary files are removed on the way out."""


class Parser(argparse.ArgumentParser):
    """argparse with one line a mistake, and room for the names of commands."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **{"formatter_class": _wide, **settings})

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line and leave with exit code 2."""
        say(f"{self.prog}: {message.removeprefix('argument ')}; see {self.prog} --help")
        raise SystemExit(CANNOT_START)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        What follows the program's name; None takes the process's own.

    Returns
    -------
    int
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        _show_what_the_terminal_cannot_encode(stream)
    with _termination_raised():
        try:
            code = _guarded(sys.argv[1:] if arguments is None else arguments)
            sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes standard output once more at its end, and would complain there.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = READER_LEFT
    return code


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = Parser(
        prog="fieldguide", description="Image classifiers that people can trust, from a folder of photos."
    )
    top.add_argument("--version", action="version", version=f"fieldguide {__version__}")
    doors = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        room = doors.add_parser(command.NAME, help=command.HELP, description=_sentence(command.HELP))
        command.arguments(room)
        room.set_defaults(run=command.run)
    return top


def _guarded(arguments: Sequence[str]) -> int:
    name = "fieldguide"
    try:
        command = _known_command(arguments)
        name = f"fieldguide {command.NAME}" if command else name
        options = parser().parse_args(arguments)
        return int(options.run(options))
    except SystemExit as leaving:
        return int(leaving.code or 0)
    except KeyboardInterrupt:
        return _stopped(f"{name}: interrupted; what was finished is kept", INTERRUPTED)
    except Terminated:
        return _stopped(f"{name}: told to end; what was finished is kept", TERMINATED)
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("FIELDGUIDE_TRACEBACK"):
            raise
        return _stopped(f"{name}: {explain(error)}", CANNOT_START)


def explain(error: Exception) -> str:
    """One line that says what went wrong and what to do."""
    if isinstance(error, FieldguideError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] in EXTRAS:
        library = (error.name or "").split(".")[0]
        extra = EXTRAS[library]
        return f"needs {library}, which is not installed; run: pip install 'fieldguide[{extra}]'"
    if isinstance(error, MemoryError):
        return "out of memory; close other programs or use fewer or smaller images"
    if isinstance(error, OSError) and error.strerror:
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return f"{where}{error.strerror}; check that the place exists, is yours to use and has room"
    what = f"{type(error).__name__}: {error}"
    return f"a mistake in fieldguide itself ({what}); set FIELDGUIDE_TRACEBACK=1 and report what it shows"


def _known_command(arguments: Sequence[str]) -> Command | None:
    """The command named, None where none is; an unknown one is a mistake that names those there are."""
    names = {command.NAME: command for command in COMMANDS}
    words = [word for word in arguments if not word.startswith("-")]
    if not arguments:
        parser().print_help()
        raise SystemExit(0)
    if not words or arguments[0].startswith("-"):
        return None
    if words[0] not in names:
        say(f"fieldguide: there is no command {words[0]!r}; choose one of: {', '.join(names)}")
        raise SystemExit(CANNOT_START)
    return names[words[0]]


def _wide(prog: str) -> argparse.HelpFormatter:
    formatter = argparse.HelpFormatter(prog, max_help_position=28)
    formatter._action_max_length = 16  # argparse forgets that commands are indented and would wrap long names
    return formatter


def _stopped(text: str, code: int) -> int:
    say(text)
    return code


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _show_what_the_terminal_cannot_encode(stream: TextIO) -> None:
    with contextlib.suppress(AttributeError):  # a stream put in place by somebody else
        stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]


@contextlib.contextmanager
def _termination_raised() -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated

    try:
        before = signal.signal(signal.SIGTERM, end)
    except ValueError:  # not the main thread: whoever owns the process decides
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
