"""What several commands share: kinds of argument values, and JSON in and out."""

import argparse
import contextlib
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec

from fieldguide.files import atomic_write
from fieldguide.progress import Progress
from fieldguide.progress_file import ProgressFile
from fieldguide.terminal import progress, say, show

Given = ParamSpec("Given")

STANDARD_OUTPUT = Path("-")
INTERRUPTED = 130
"""Exit code where Ctrl-C ended the work and what was finished is kept."""

MOST_NAMED = 20
"""Refused inputs named on the terminal."""


def whole_number(text: str) -> int:
    """A whole number, 0 or more."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be a whole number, 0 or more; got {text!r}")
    return number


def count(text: str) -> int:
    """A whole number, 1 or more."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more; got {text!r}")
    return number


def positive_number(text: str) -> float:
    """A finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0; got {text!r}")
    return number


def assignment(text: str) -> tuple[str, float]:
    """``NAME=NUMBER``."""
    name, equals, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not name or not equals or not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"must be NAME=NUMBER, such as shrinkage=0.7; got {text!r}")
    return name, number


def new_file(text: str) -> Path:
    """A file to be written; its folder must exist, so that an hour's work does not end at a typing error."""
    path = Path(text)
    if not text or path.is_dir():
        raise argparse.ArgumentTypeError(f"must be the name of a file; got {text!r}, which is a folder")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(
            f"folder {str(path.parent)!r} does not exist; create it or choose another"
        )
    return path


def new_png(text: str) -> Path:
    """A PNG file to be written."""
    path = new_file(text)
    if path.suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"must end in .png; got {text!r}")
    return path


def new_file_or_stdout(text: str) -> Path:
    """The same, and ``-`` for standard output."""
    return STANDARD_OUTPUT if text == str(STANDARD_OUTPUT) else new_file(text)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Declare ``--json FILE``."""
    parser.add_argument(
        "--json", type=new_file_or_stdout, metavar="FILE", help="also write JSON (- for stdout)"
    )


def write_json(answer: Any, target: Path | None, indent: int | None = 2) -> None:
    """Write `answer` where ``--json`` asked for it; None writes nothing. Without indent it is one line."""
    if target is None:
        return
    text = json.dumps(answer, indent=indent, allow_nan=False)
    if target == STANDARD_OUTPUT:
        for line in text.split("\n"):
            show(line)
        return
    with atomic_write(target) as file:
        file.write(text.encode("ascii") + b"\n")


@contextlib.contextmanager
def written_progress(target: Path | None) -> Iterator[ProgressFile]:
    """What ``--progress`` asked for; None writes nothing."""
    if target is None:
        yield ProgressFile(None)
        return
    with target.open("wb") as file:
        yield ProgressFile(file)


@contextlib.contextmanager
def told_progress(target: Path | None) -> Iterator[Progress]:
    """Progress on the terminal, and in the file that ``--progress`` names."""
    with written_progress(target) as written, progress() as bars:
        yield both(bars, written)


def both(first: Callable[Given, None], second: Callable[Given, None]) -> Callable[Given, None]:
    """One callback that calls two."""

    def call(*values: Given.args, **named: Given.kwargs) -> None:
        first(*values, **named)
        second(*values, **named)

    return call


def say_refused(refused: list[dict[str, str]], in_all: int, whole: str) -> None:
    """Name inputs that were refused.

    Parameters
    ----------
    refused
        At least the first of them; at most :data:`MOST_NAMED` are named.
    in_all
        How many there are.
    whole
        What has the whole list, and its verb.
    """
    for refusal in refused[:MOST_NAMED]:
        say(f"refused {refusal['path']}: {refusal['message']} ({refusal['code']})")
    if in_all > MOST_NAMED:
        say(f"refused {in_all - MOST_NAMED} more; {whole} them all")
