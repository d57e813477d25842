"""Completion of the command line in shells, written by shtab (Apache-2.0) from the parser itself."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

SHELLS = ("bash", "zsh", "fish")
FOLDERS = ("DIR", "FOLDER")
FILES = ("DATA", "FILE", "IMAGE", "MODEL", "PATH")
"""How names of values begin that are files, or folders that may be either."""
PRESETS = ("fast", "balanced", "best")


class PrintCompletion(argparse.Action):
    """An option that writes a shell's completion script and leaves."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Write the script to standard output."""
        sys.stdout.write(completion_script(parser, str(values)))
        parser.exit()


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """What a shell needs to complete commands, options, their values and files.

    Parameters
    ----------
    parser
        Of the whole command line; it is marked with what its values are, and good for nothing else then.
    shell
        One of :data:`SHELLS`.
    """
    import shtab

    from fieldguide.recipes import RECIPES

    known = {"R": tuple(RECIPES), "P": PRESETS}
    for action in _taking_values(parser):
        name = str(action.metavar or "")
        if name in known:
            action.choices = known[name]
        elif name.startswith(FOLDERS) and "FILE" not in name and "TABLE" not in name:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif name.startswith((*FILES, *FOLDERS)):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell))


def _taking_values(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in dict.fromkeys(action.choices.values()):
                yield from _taking_values(below)
        elif action.nargs != 0 and not action.choices:
            yield action
