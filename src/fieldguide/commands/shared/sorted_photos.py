"""What a sorting did, or would do, as a person reads it."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.commands import terminal
from fieldguide.commands.shared.options import MOST_NAMED
from fieldguide.installation import program_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fieldguide.prediction.sorting.sort import SortResult
    from fieldguide.prediction.sorting.table import SortedPhoto

WORDS = {
    "copy": "copied",
    "unpack": "copied from an archive or table",
    "hardlink": "linked",
    "move": "moved",
    "present": "there already",
    "left": "left where they are",
}
"""What became of photos, in the order in which it is said."""


def say_sorted(done: "SortResult", folder: Path, *, allow_refused: bool) -> int:
    """Say it: a dry run line by line on standard output, a real one in counts. Gives the exit code."""
    for note in done.notes:
        terminal.say(f"note: {note}")
    if done.dry_run:
        for photo in done.photos:
            target = str(folder / photo.target) if photo.target else "-"
            terminal.show(photo.how, photo.source, target)
    say_left(done.left)
    counts = done.counts
    said = ", ".join(f"{counts[how]} {word}" for how, word in WORDS.items() if how in counts)
    would = " (a dry run: nothing was done)" if done.dry_run else ""
    terminal.say(f"{folder}: {said or 'nothing to do'}{would}")
    for table in done.tables:
        terminal.say(f"{table}: which photo went where; undo it with: {undo_line(table)}")
    return 1 if (done.refused or done.left) and not allow_refused else 0


def say_left(photos: "Sequence[SortedPhoto]") -> None:
    """Name the first photos that stayed where they were, with the reason."""
    for photo in photos[:MOST_NAMED]:
        terminal.say(f"left {photo.source}: {photo.note}")
    if len(photos) > MOST_NAMED:
        terminal.say(f"and {len(photos) - MOST_NAMED} more were left")


def undo_line(table: Path) -> str:
    """The command that undoes a sorting."""
    return program_command("undo", shlex.quote(str(table)))
