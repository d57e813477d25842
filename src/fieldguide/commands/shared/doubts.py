"""Doubts about DATA on the terminal: said in a line each; grave ones stop where a person sits before it."""

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fieldguide.commands.terminal import say
from fieldguide.errors import DataError

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset
    from fieldguide.data.plausibility.doubts import Doubt


def add_yes(parser: argparse.ArgumentParser) -> None:
    """Declare ``--yes``."""
    parser.add_argument(
        "--yes",
        action="store_true",
        help="continue even if DATA seems to be misread (without a terminal, it always continues)",
    )


def say_doubts(doubts: "Iterable[Doubt]") -> None:
    """Say each in a line."""
    for doubt in doubts:
        say(f"{'serious doubt' if doubt.grave else 'doubt'}: {doubt.message}")


def begin(dataset: "Dataset", *, yes: bool) -> None:
    """Say what was understood of DATA, before the work begins.

    Raises
    ------
    DataError
        On a terminal without `yes`, if a doubt would make the model worthless.
    """
    from fieldguide.data.plausibility.understood import understood

    for line in understood(dataset):
        say(line)
    say_doubts(dataset.doubts)
    heed(dataset, yes=yes)


def heed(dataset: "Dataset", *, yes: bool) -> None:
    """Stop on a terminal where a doubt is grave; scripts, and who says `yes`, go on.

    Raises
    ------
    DataError
        If so.
    """
    grave = [doubt for doubt in dataset.doubts if doubt.grave]
    if grave and not yes and sys.stdin.isatty() and sys.stderr.isatty():
        raise DataError(
            f"{dataset.called}: the model would be worthless if this is not intended: {grave[0].message}; "
            "correct it, or give --yes to continue"
        )


def say_deep_grey(paths: Iterable[str]) -> None:
    """Say where images of 16 bits hold fewer, so that they come out nearly black."""
    from fieldguide.data.plausibility.deep_grey import deep_grey_doubt

    doubt = deep_grey_doubt(list(paths))
    say_doubts([doubt] if doubt else [])


def as_json(doubts: "Iterable[Doubt]") -> list[dict[str, Any]]:
    """Doubts as JSON holds them."""
    return [doubt.as_dict() for doubt in doubts]
