"""``fieldguide next``: which unlabelled photos are most worth a label, with a reason each."""

import argparse
import contextlib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.commands import terminal
from fieldguide.commands.shared.options import count, say_refused
from fieldguide.commands.shared.output_paths import new_png, new_table
from fieldguide.commands.shared.standard_input import with_names_read
from fieldguide.installation import program_command

if TYPE_CHECKING:
    from fieldguide.prediction.active_learning import Suggestions

NAME = "next"
HELP = "choose which unlabelled photos to label next, with a reason each"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare MODEL, PATH..., how many, and where the table and the sheet go."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="files, folders, globs, archives, a table; - for names on standard input",
    )
    parser.add_argument("--count", type=count, default=50, metavar="N", help="photos to choose (default: 50)")
    parser.add_argument("--out", type=new_table, metavar="FILE.csv", help="write the list as a table")
    parser.add_argument(
        "--force", action="store_true", help="write a new table even if labels were filled in"
    )
    parser.add_argument(
        "--sheet", type=new_png, metavar="FILE.png", help="draw the photos on one picture, a contact sheet"
    )


def run(options: argparse.Namespace) -> int:
    """Choose, show the list or write it, draw the sheet."""
    from fieldguide.prediction.active_learning import next_to_label
    from fieldguide.prediction.inputs import find_inputs
    from fieldguide.prediction.predictor import load
    from fieldguide.prediction.suggestion_files import draw_sheet, keep_what_was_filled_in

    if options.out is not None and not options.force:
        keep_what_was_filled_in(options.out)
    paths = with_names_read(options.paths)
    model = load(options.model)
    with contextlib.ExitStack() as stack:
        with terminal.progress() as progress:
            inputs = find_inputs(paths, stack=stack, progress=progress)
            found = next_to_label(model, inputs.items, count=options.count, progress=progress)
        if options.sheet is not None:
            draw_sheet(found, inputs.files(), options.sheet)
            _say_sheet(len(found.photos), options.sheet)
    for note in (*model.limits, *inputs.notes):
        terminal.say(f"note: {note}")
    refused = [refusal.as_dict() for refusal in found.refused]
    say_refused(refused, len(refused), f"`{program_command('predict --out')}` lists")
    if options.out is None:
        rows = [(str(rank), photo.path, photo.reason) for rank, photo in enumerate(found.photos, start=1)]
        if sys.stdout.isatty():
            terminal.show_table([("rank", "photo", "why"), *rows])
        else:
            for row in rows:
                terminal.show(*row)
    else:
        _write(found, options.out)
        add = program_command("train DATA --add", shlex.quote(str(options.out)), "--out model.onnx")
        terminal.say(
            f"{options.out}: {len(found.photos)} of {found.seen} photos, the most useful first; fill in the "
            f"column {_to_fill_in(found)}, then: {add}"
        )
    return 1 if found.refused else 0


def _to_fill_in(found: "Suggestions") -> str:
    return "labels (with | between tags, | alone for none)" if found.of_tags else "label"


def _write(found: "Suggestions", out: Path) -> None:
    from fieldguide.prediction.suggestion_files import write_table

    kept = write_table(found, out)
    if kept is not None:
        terminal.say(f"{kept}: the previous table")


def _say_sheet(photos: int, out: Path) -> None:
    from fieldguide.images.contact_sheet import MOST

    left_out = f"; the first {MOST} of {photos}" if photos > MOST else ""
    terminal.say(f"{out}: {min(photos, MOST)} photos{left_out}")
