"""``fieldguide merge``: one file of the parts that ``predict --cluster`` wrote."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.commands import terminal
from fieldguide.commands.shared.output_paths import new_file_ending, or_object

if TYPE_CHECKING:
    from fieldguide.storage.object_store import ObjectUrl

NAME = "merge"
HELP = "make one file of the parts that predict --cluster wrote"

ENDINGS = (".csv", ".jsonl", ".parquet")
new_rows: Callable[[str], "Path | ObjectUrl"] = or_object(new_file_ending(*ENDINGS, needed=True), *ENDINGS)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare PARTS and ``--out``."""
    parser.add_argument("parts", metavar="PARTS", help="the folder that predict --cluster wrote, or its URL")
    parser.add_argument(
        "--out", type=new_rows, required=True, metavar="FILE", help="write to FILE.csv, .jsonl or .parquet"
    )


def run(options: argparse.Namespace) -> int:
    """Merge, and say how many rows there are."""
    from fieldguide.api.merging import merge

    terminal.say(f"{options.out}: {merge(options.parts, out=options.out)} rows")
    return 0
