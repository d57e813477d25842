"""The command line: parse, call one function, turn what went wrong into one line and an exit code.

0 done; 1 done, but some inputs were refused; 2 cannot start: one line says what, where and what to do;
130 interrupted, 143 told to end, 129 the terminal was closed, with what was finished kept; 141 whoever read
the output has left.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, TextIO

from fieldguide import __version__
from fieldguide.commands import COMMANDS, Command, aliases_of
from fieldguide.commands.shared.completion import SHELLS, PrintCompletion
from fieldguide.commands.shared.signals import Signals, Terminated, leave, let_go, open_standard_streams
from fieldguide.commands.terminal import say
from fieldguide.errors import FieldguideError, ProcessEnded
from fieldguide.installation import (
    NAME,
    command_for,
    program_command,
    program_line,
    program_words,
    remember_program,
)

CANNOT_START, INTERRUPTED, READER_LEFT = 2, 130, 141

EXTRAS = {
    **dict.fromkeys(("onnx", "sklearn", "scipy", "safetensors", "filelock", "optuna"), "train"),
    **dict.fromkeys(("torch", "torchvision", "timm", "onnxscript", "lightning_fabric"), "torch"),
    **dict.fromkeys(("matplotlib", "jinja2"), "report"),
    **dict.fromkeys(("fastapi", "uvicorn", "prometheus_client", "python_multipart"), "serve"),
    **dict.fromkeys(("starlette", "pydantic"), "serve"),
    "shtab": "completion",
    "pyarrow": "parquet",
    "pillow_heif": "heic",
    "tifffile": "microscopy",
    **dict.fromkeys(("ai_edge_litert", "flatbuffers"), "litert"),
}
"""Which extra of the package brings a library that is missing."""

_KEPT_TO_THE_END: list[contextlib.ExitStack] = []
BY_STEPS = ("finetune", "cnn")
"""Recipes that keep checkpoints, and go on with ``--resume``."""


class CommandParser(argparse.ArgumentParser):
    """argparse with one line a mistake, and room for the names of commands."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **{"formatter_class": _wide, **settings})

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line and leave with exit code 2."""
        shown = program_command(*self.prog.split()[1:], "--help")
        say(f"{self.prog}: {message.removeprefix('argument ')}; see {shown}")
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
    if arguments is None:
        open_standard_streams()
        remember_program(program_words(sys.argv[0], sys.orig_argv))
    for stream in (sys.stdout, sys.stderr):
        _show_what_the_terminal_cannot_encode(stream)
    signals = Signals()
    stack = contextlib.ExitStack()
    stack.enter_context(signals.raised())
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments, signals)
        if arguments is None and code == INTERRUPTED and signals.interrupts > 1:
            leave(code)  # who asks twice does not wait for threads, as Python would
        return code
    finally:
        if arguments is None:  # the process ends now, and a signal on the way must not show a traceback
            _KEPT_TO_THE_END.append(stack)
        else:
            stack.close()


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = CommandParser(
        prog=NAME, description="Image classifiers that people can trust, from a folder of photos."
    )
    top.add_argument("--version", action="version", version=f"fieldguide {__version__}")
    top.add_argument(
        "--print-completion",
        choices=SHELLS,
        action=PrintCompletion,
        help="print what a shell needs to complete commands and options, and exit",
    )
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        arguments = subparsers.add_parser(
            command.NAME,
            aliases=aliases_of(command),
            help=command.HELP,
            description=_sentence(command.HELP),
        )
        command.arguments(arguments)
        arguments.set_defaults(run=command.run)
    return top


def _run(arguments: Sequence[str], signals: Signals) -> int:
    try:
        return _whole(arguments, signals)
    except KeyboardInterrupt:  # a second one, on the way out
        return INTERRUPTED
    except Terminated as order:
        return order.code


def _whole(arguments: Sequence[str], signals: Signals) -> int:
    """Run a command to the last byte of its output."""
    try:
        code = _guarded(arguments, signals)
        sys.stdout.flush()
    except BrokenPipeError:
        code = READER_LEFT
    except OSError as error:
        code = CANNOT_START
        _say_if_read(f"fieldguide: standard output: {explain(error)}")
    else:
        return code
    # Python flushes both once more at its end, and would complain there.
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            let_go(number)
    return code


def _guarded(arguments: Sequence[str], signals: Signals) -> int:
    name, options = "fieldguide", argparse.Namespace()
    try:
        command = _known_command(arguments)
        name = f"fieldguide {command.NAME}" if command else name
        options = parser().parse_args(arguments)
        code = int(options.run(options))
        signals.leaving = True
        if code == INTERRUPTED and name != "fieldguide serve":
            say(f"continue with: {_again(arguments, options)}")
        return code
    except SystemExit as leaving:
        return int(leaving.code or 0)
    except KeyboardInterrupt:
        signals.leaving = True
        again = _again(arguments, options)
        said = f"{name}: interrupted; what was finished is kept; continue with: {again}"
        return _stopped(said, INTERRUPTED)
    except Terminated as order:
        signals.leaving = True
        again = _again(arguments, options)
        return _stopped(f"{name}: terminated; what was finished is kept; continue with: {again}", order.code)
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("FIELDGUIDE_TRACEBACK"):
            raise
        more = f"; continue with: {_again(arguments, options)}" if isinstance(error, ProcessEnded) else ""
        return _stopped(f"{name}: {explain(error)}{more}", CANNOT_START)


def explain(error: Exception) -> str:
    """One line that says what went wrong and what to do."""
    if isinstance(error, FieldguideError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] in EXTRAS:
        library = (error.name or "").split(".")[0]
        extra = EXTRAS[library]
        return f"needs {library}, which is not installed; run: {command_for(extra)}"
    if isinstance(error, MemoryError):
        return "out of memory; close other programs or use fewer or smaller images"
    if isinstance(error, OSError) and error.strerror:
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return f"{where}{error.strerror}; check that the place exists, is yours to use and has room"
    what = f"{type(error).__name__}: {error}"
    return f"an error in fieldguide itself ({what}); set FIELDGUIDE_TRACEBACK=1 and report what it shows"


def _known_command(arguments: Sequence[str]) -> Command | None:
    """The command named, None where none is; an unknown one is a mistake that names those there are."""
    names = {name: command for command in COMMANDS for name in (command.NAME, *aliases_of(command))}
    words = [word for word in arguments if not word.startswith("-")]
    if not arguments:
        parser().print_help()
        raise SystemExit(0)
    if not words or arguments[0].startswith("-"):
        return None
    if words[0] not in names:
        known = ", ".join(command.NAME for command in COMMANDS)
        say(f"fieldguide: there is no command {words[0]!r}; choose one of: {known}")
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


def _again(arguments: Sequence[str], options: argparse.Namespace) -> str:
    """The command that goes on where this one stopped, as it was called."""
    by_steps = getattr(options, "command", None) == "tune" or getattr(options, "recipe", None) in BY_STEPS
    more = ["--resume"] if by_steps and hasattr(options, "resume") and not options.resume else []
    return program_line(*arguments, *more)


def _say_if_read(text: str) -> None:
    with contextlib.suppress(OSError):
        say(text)
