"""``fieldguide split``: a part of the photos kept apart for measuring."""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.commands import terminal
from fieldguide.commands.shared.options import add_data, opened, say_refused, whole_number
from fieldguide.commands.shared.output_paths import new_folder_or
from fieldguide.installation import program_command, program_line
from fieldguide.tasks.task import EITHER

if TYPE_CHECKING:
    from fieldguide.data.holding_out import DealtSplits

NAME = "split"
HELP = "keep a part of the photos apart for testing, near-duplicates and groups together"


def share(text: str) -> float:
    """``0.2``, ``20%`` or ``20 %``."""
    plain = text.strip()
    try:
        value = float(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"must be a share such as 0.2 or 20%; got {text!r}")
    return value


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare DATA, ``--out``, the shares, the seed and how photos are written."""
    add_data(parser)
    parser.add_argument(
        "--out",
        type=new_folder_or(".csv", ".tsv"),
        required=True,
        metavar="FOLDER|TABLE.csv",
        help="a new folder for train/, test/ with class folders; or a table beside the photos, which stay",
    )
    parser.add_argument("--test", type=share, default=0.2, metavar="SHARE", help="for testing (default: 0.2)")
    parser.add_argument(
        "--validation", type=share, default=0.0, metavar="SHARE", help="for tuning on (default: none)"
    )
    parser.add_argument(
        "--seed", type=whole_number, default=0, metavar="N", help="same seed, same splits (default: 0)"
    )
    parser.add_argument("--link", action="store_true", help="hard links instead of copies: no space is taken")


def run(options: argparse.Namespace) -> int:
    """Deal the photos, write them, say what came of it."""
    from fieldguide.api.writing import split

    with (
        terminal.progress() as progress,
        opened(options, progress, tasks=EITHER) as dataset,
    ):
        held = split(
            dataset,
            out=options.out,
            test=options.test,
            validation=options.validation,
            seed=options.seed,
            link=options.link,
            progress=progress,
        )
    for note in dataset.notes:
        terminal.say(f"note: {note}")
    _say(held, options.out)
    refused = [refusal.as_dict() for refusal in held.refused]
    say_refused(refused, len(refused), f"`{program_command('check')}` lists")
    return 1 if refused else 0


def _say(held: "DealtSplits", out: Path) -> None:
    counts = ", ".join(
        f"{held.counts[name]:,} {name}" for name in ("train", "validation", "test") if name in held.counts
    )
    terminal.show(f"{out}: {counts}")
    if held.tied:
        terminal.say(f"{held.tied:,} photos stay together with a near-duplicate or others of their group")
    for name, classes in held.lacking.items():
        if classes:
            terminal.say(
                f"no photo for {name} of {', '.join(map(repr, classes[:10]))}: too few separate ones"
            )
    train = program_command("train", shlex.quote(str(out)), "--out model.onnx")
    terminal.say(f"next: {train}")
    terminal.say(f"then: {program_line('evaluate', 'model.onnx', out)}")
