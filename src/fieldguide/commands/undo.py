"""``fieldguide undo``: a sorting taken back by the table it left."""

import argparse
from pathlib import Path

from fieldguide.commands import terminal
from fieldguide.commands.shared.options import add_json, write_json
from fieldguide.commands.shared.sorted_photos import say_left

NAME = "undo"
HELP = "put photos back that `predict --sort-into` has sorted"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare TABLE, ``--dry-run`` and ``--json``."""
    parser.add_argument("table", type=Path, metavar="TABLE", help="what the sorting left, sorted.csv")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Undo, and say what was kept."""
    from fieldguide.api.filing import undo

    with terminal.progress() as progress:
        done = undo(options.table, dry_run=options.dry_run, progress=progress)
    say_left(done.kept)
    would = " (a dry run: nothing was done)" if done.dry_run else ""
    terminal.say(
        f"{options.table}: {done.moved_back} moved back, {done.removed} copies and links removed, "
        f"{len(done.kept)} left{would}"
    )
    write_json(done.as_dict(), options.json)
    return 1 if done.kept else 0
