"""The commands, one file each: ``NAME``, ``HELP``, ``arguments(parser)`` and ``run(options) -> exit code``.

A new command is one file and one line in :data:`COMMANDS`. Nothing heavy is imported at the head of these
files: what a command needs it imports where it runs, so that ``fieldguide --help`` answers at once and
``predict`` runs without the training libraries.
"""

import argparse
from typing import Protocol

from fieldguide.commands import (
    app,
    backbones,
    check,
    compare,
    dataset,
    demo,
    evaluate,
    explain,
    export,
    info,
    next_photos,
    predict,
    pretrained,
    rehearse,
    serve,
    train,
    tune,
)


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
    train,
    compare,
    tune,
    rehearse,
    evaluate,
    predict,
    next_photos,
    explain,
    serve,
    info,
    export,
    backbones,
    pretrained,
    dataset,
    app,
)
