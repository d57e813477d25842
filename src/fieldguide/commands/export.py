"""``fieldguide export``: a model file in another form, for another place."""

import argparse
from pathlib import Path

from fieldguide import terminal
from fieldguide.commands.options import new_file

NAME = "export"
HELP = "write a model file in another form: int8, about a third of the size"

FORMS = ("int8",)
"""Names of :data:`fieldguide.export.FORMS`, so that ``--help`` loads no training library."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare MODEL, ``--to`` and ``--out``."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    parser.add_argument("--to", required=True, choices=FORMS, help="the form (docs/export.md)")
    parser.add_argument("--out", type=new_file, required=True, metavar="PATH", help="the file to write")


def run(options: argparse.Namespace) -> int:
    """Write it, and say what it gained."""
    from fieldguide.export import export

    done = export(options.model, options.to, options.out)
    terminal.show(f"{done.path}: {done.bytes_after / 1e6:.1f} MB instead of {done.bytes_before / 1e6:.1f} MB")
    terminal.say(
        f"compare both on your photos: fieldguide evaluate {done.path} DATA --against {options.model}"
    )
    return 0
