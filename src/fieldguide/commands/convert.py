"""``fieldguide convert``: the same photos and labels in another form."""

import argparse

from fieldguide.commands import terminal
from fieldguide.commands.shared.options import add_data, opened, say_refused
from fieldguide.commands.shared.output_paths import new_folder_or
from fieldguide.data.split_names import SPLITS
from fieldguide.installation import program_command
from fieldguide.tasks.task import EITHER

NAME = "convert"
HELP = "write photos and labels in the form of another tool"

FORMS = ("table", "folders", "imagefolder", "label-studio", "cvat", "fiftyone", "coco", "one-hot")
"""The keys of :data:`fieldguide.data.writers.WRITERS`, which is not imported for ``--help``."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare DATA, ``--to``, ``--out``, ``--split`` and how photos are written."""
    add_data(parser)
    parser.add_argument("--to", required=True, choices=FORMS, help="the form to write")
    parser.add_argument("--out", type=new_folder_or(), required=True, metavar="PATH", help="a new folder")
    parser.add_argument("--split", choices=SPLITS, help="only this split of DATA")
    parser.add_argument("--link", action="store_true", help="hard links instead of copies: no space is taken")


def run(options: argparse.Namespace) -> int:
    """Read DATA, write the other form, say what came of it."""
    from fieldguide.api.writing import convert
    from fieldguide.data.writers import writer

    with (
        terminal.progress() as progress,
        opened(options, progress, minimum_classes=1, tasks=EITHER) as dataset,
    ):
        done = convert(
            dataset,
            to=options.to,
            out=options.out,
            split=options.split,
            link=options.link,
            progress=progress,
        )
    for note in done.notes:
        terminal.say(f"note: {note}")
    terminal.show(f"{done.path}: {done.photos:,} photos; {writer(done.form).TITLE}")
    refused = [refusal.as_dict() for refusal in done.refused]
    say_refused(refused, len(refused), f"`{program_command('check')}` lists")
    return 1 if refused else 0
