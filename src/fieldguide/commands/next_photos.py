"""``fieldguide next``: which unlabelled photos are most worth a label, with a reason each."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide import terminal
from fieldguide.commands.options import count, new_file, new_png, say_refused

if TYPE_CHECKING:
    from fieldguide.what_next import Suggestions

NAME = "next"
HELP = "choose which unlabelled photos to label next, with a reason each"

COLUMNS = ("rank", "path", "label", "probability", "second", "margin", "typicality", "reason")
"""Of the table; `label` and `second` are the model's guesses, not the truth."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare MODEL, PATH..., how many, and where the table and the sheet go."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, globs, or a table of paths")
    parser.add_argument("--count", type=count, default=50, metavar="N", help="photos to choose (default: 50)")
    parser.add_argument("--out", type=new_file, metavar="FILE.csv", help="write the list as a table")
    parser.add_argument(
        "--sheet", type=new_png, metavar="FILE.png", help="draw the photos on one picture, a contact sheet"
    )


def run(options: argparse.Namespace) -> int:
    """Choose, show the list or write it, draw the sheet."""
    from fieldguide.predict_inputs import find_inputs
    from fieldguide.predictor import load
    from fieldguide.what_next import what_next

    model = load(options.model)
    with terminal.progress() as progress:
        inputs = find_inputs(options.paths, progress=progress)
        found = what_next(model, inputs.items, count=options.count, progress=progress)
    for note in inputs.notes:
        terminal.say(f"note: {note}")
    refused = [refusal.as_dict() for refusal in found.refused]
    say_refused(refused, len(refused), "`predict --out` lists")
    if options.out is None:
        for rank, photo in enumerate(found.photos, start=1):
            terminal.show(str(rank), photo.path, photo.reason)
    else:
        _write_table(found, options.out)
        terminal.say(f"{options.out}: {len(found.photos)} of {found.seen} photos, the most useful first")
    if options.sheet is not None:
        _draw(found, options.sheet)
    return 1 if found.refused else 0


def _write_table(found: "Suggestions", out: Path) -> None:
    from fieldguide.files import atomic_write
    from fieldguide.prediction_rows import cell_of, csv_line

    with atomic_write(out) as file:
        file.write(csv_line(COLUMNS))
        for rank, photo in enumerate(found.photos, start=1):
            row = {"rank": rank, **photo.as_dict()}
            cells = [row[name] for name in COLUMNS]
            file.write(csv_line(cell_of(cell) if isinstance(cell, str) else cell for cell in cells))


def _draw(found: "Suggestions", out: Path) -> None:
    from fieldguide.contact_sheet import MOST, Caption, contact_sheet
    from fieldguide.files import atomic_write

    captions = [
        Caption(photo.path, (f"{rank}. {Path(photo.path).name}", f"{photo.label}?", photo.reason))
        for rank, photo in enumerate(found.photos, start=1)
    ]
    with atomic_write(out) as file:
        contact_sheet(captions).save(file, "PNG")
    left_out = f"; the first {MOST} of {len(captions)}" if len(captions) > MOST else ""
    terminal.say(f"{out}: {min(len(captions), MOST)} photos{left_out}")
