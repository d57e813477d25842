"""What several commands share: kinds of argument values, and JSON in and out."""

import argparse
import contextlib
import json
import math
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

from fieldguide.commands.shared.output_paths import STANDARD_OUTPUT as STANDARD_OUTPUT
from fieldguide.commands.shared.output_paths import new_json
from fieldguide.commands.terminal import progress, say, show
from fieldguide.data.options import DataOptions
from fieldguide.data.split_names import SplitChoice, read_choice
from fieldguide.errors import OptionError
from fieldguide.files import atomic_write
from fieldguide.progress import Progress
from fieldguide.storage.object_store import ObjectUrl, is_object_url
from fieldguide.tasks.task import ONE_LABEL, Task
from fieldguide.workspace.progress_file import ProgressFile

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset

Given = ParamSpec("Given")

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


def add_json(parser: argparse.ArgumentParser) -> None:
    """Declare ``--json FILE``."""
    parser.add_argument("--json", type=new_json, metavar="FILE", help="also write JSON (- for stdout)")


def add_cluster(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare ``--cluster [ADDRESS]``; `what` it does there."""
    parser.add_argument(
        "--cluster",
        nargs="?",
        const="local",
        type=cluster_address,
        metavar="ADDRESS",
        help=f"{what} with Ray, on all cores of this machine, or of the cluster at ADDRESS (auto, HOST:PORT)",
    )


def cluster_address(text: str) -> str:
    """What follows ``--cluster``: not what lies on this machine and was meant as DATA or PATH."""
    if text not in ("local", "auto") and os.path.lexists(text):
        raise argparse.ArgumentTypeError(
            f"must be local, auto or HOST:PORT; {text!r} lies here and is no address: write --cluster last, "
            "or --cluster=local before it"
        )
    return text


def add_splits(parser: argparse.ArgumentParser) -> None:
    """Declare ``--splits`` and ``--no-splits``."""
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--splits",
        type=split_choice,
        metavar="train=NAME,test=NAME",
        help="which folders (or cells of the column split) are which split (default: their names decide)",
    )
    either.add_argument(
        "--no-splits",
        dest="splits",
        action="store_const",
        const=SplitChoice(ignored=True),
        help="nothing is a split: folders are classes, a column split is not looked at",
    )


def data_place(text: str) -> Path | ObjectUrl:
    """DATA: a path, or a URL of an object store, which a path would spoil."""
    return ObjectUrl(text) if is_object_url(text) else Path(text)


def add_data(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Declare DATA and what a person may say about it."""
    parser.add_argument(
        "data",
        type=data_place,
        metavar="DATA",
        help=f"folders, a table, an export of annotations, an archive, or a URL of one such as s3://…{more}",
    )
    add_reading(parser)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Declare ``--splits``, ``--form``, ``--label-from`` and the columns of a table."""
    add_splits(parser)
    told = parser.add_argument_group("how DATA is to be read, where its form leaves something open")
    told.add_argument(
        "--form",
        type=form_name,
        metavar="NAME",
        help="which form it is (default: recognised); `list` shows all",
    )
    told.add_argument("--path-column", metavar="NAME", help="the column of a table that names the images")
    told.add_argument("--label-column", metavar="NAME", help="the column that holds the labels")
    told.add_argument(
        "--split-column", metavar="NAME", help="the column that holds train, validation or test"
    )
    told.add_argument(
        "--group-column", metavar="NAME", help="the column whose equal values stay on one side of a split"
    )
    told.add_argument(
        "--label-from",
        metavar="REGEX",
        help="labels are in the paths: a regular expression with a group (?P<label>…), also split and group",
    )
    told.add_argument(
        "--crops",
        action="store_true",
        help="learn annotated boxes (COCO, Pascal VOC, YOLO, CVAT), each cut out of its photo",
    )
    told.add_argument(
        "--task",
        choices=("single", "multiple"),
        help="one label a photo, or any number of tags (default: the data decide)",
    )


@contextlib.contextmanager
def opened(
    options: argparse.Namespace,
    progress: Progress,
    minimum_classes: int = 2,
    tasks: Collection[Task] = ONE_LABEL,
) -> "Iterator[Dataset]":
    """The data set that :func:`add_data` asked for, as long as the ``with`` block lasts.

    Raises
    ------
    DataError
        If it cannot be read, or has fewer classes.
    """
    from fieldguide.data.dataset import open_dataset

    with open_dataset(
        options.data,
        minimum_classes=minimum_classes,
        splits=options.splits,
        options=data_options(options),
        progress=progress,
        tasks=tasks,
    ) as dataset:
        yield dataset


def data_options(options: argparse.Namespace) -> DataOptions:
    """What a person said with the options of :func:`add_reading`.

    Raises
    ------
    OptionError
        If ``--label-from`` is no regular expression that can be used.
    """
    columns = ("path_column", "label_column", "split_column", "group_column")
    names = ("form", *columns, "label_from", "crops", "task")
    return DataOptions(**{name: getattr(options, name) for name in names})


def reading(options: argparse.Namespace) -> dict[str, Any]:
    """What was said with the options of :func:`add_reading`, by keyword for a function of `fieldguide`."""
    columns = ("path_column", "label_column", "split_column", "group_column")
    names = ("splits", "form", *columns, "label_from", "crops", "task")
    return {name: getattr(options, name) for name in names}


def form_name(text: str) -> str:
    """A form of DATA; ``list`` shows them all and leaves."""
    from fieldguide.data.forms import FOLDERS, FORMS, titles

    if text == "list":
        for name, title in titles().items():
            show(name, title)
        raise SystemExit(0)
    if text not in (FOLDERS, *FORMS):
        raise argparse.ArgumentTypeError(
            f"must be one of {', '.join((FOLDERS, *FORMS))} or list; got {text!r}"
        )
    return text


def split_choice(text: str) -> SplitChoice:
    """``train=NAME,validation=NAME,test=NAME``."""
    try:
        return read_choice(text)
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("splits: ")) from error


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
def shown_progress(target: Path | None) -> Iterator[Progress]:
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
