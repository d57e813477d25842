"""The commands, one file each: ``NAME``, ``HELP``, ``arguments(parser)`` and ``run(options) -> exit code``.

A new command is one file and one line in :data:`COMMANDS`. Nothing heavy is imported at the head of these
files: what a command needs it imports where it runs, so that ``fieldguide --help`` answers at once and
``predict`` runs without the training libraries.
"""

import argparse
from typing import Protocol

from fieldguide.commands import (
    app,
    architecture,
    backbones,
    check,
    compare,
    convert,
    dataset,
    demo,
    evaluate,
    explain,
    export,
    info,
    merge,
    next_to_label,
    novelty,
    predict,
    pretrained,
    serve,
    split,
    train,
    tune,
    undo,
    zero_shot,
)


def aliases_of(command: "Command") -> tuple[str, ...]:
    """Other words for a command, kept for scripts that were written before it was renamed."""
    aliases: tuple[str, ...] = getattr(command, "ALIASES", ())
    return aliases


class Command(Protocol):
    """What a file of this folder provides."""

    NAME: str
    """The word on the command line."""
    HELP: str
    """One line that says what it does."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, options: argparse.Namespace) -> int:
        """Do it; the answer is the exit code: 0 done, 1 done but some inputs were refused."""


COMMANDS: tuple[Command, ...] = (
    demo,
    check,
    split,
    train,
    compare,
    tune,
    novelty,
    evaluate,
    predict,
    merge,
    undo,
    next_to_label,
    explain,
    serve,
    info,
    export,
    backbones,
    architecture,
    pretrained,
    zero_shot,
    dataset,
    convert,
    app,
)
