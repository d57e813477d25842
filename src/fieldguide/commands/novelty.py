"""``fieldguide novelty``: how a model would react to a class that it never saw."""

import argparse
from typing import TYPE_CHECKING

from fieldguide.commands import terminal
from fieldguide.commands.shared.doubts import say_doubts
from fieldguide.commands.shared.options import (
    STANDARD_OUTPUT,
    add_data,
    add_json,
    reading,
    say_refused,
    whole_number,
    write_json,
)

if TYPE_CHECKING:
    from fieldguide.experiments.leave_one_class_out import LeaveOneClassOut

NAME = "novelty"
ALIASES = ("rehearse",)
"""The name that it had before."""
HELP = "leave each class out once, and see whether its photos would be called unknown"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare DATA and how the models are made."""
    add_data(parser)
    parser.add_argument("--backbone", metavar="B", help="pretrained network (default: the preset's)")
    parser.add_argument(
        "--preset", default="balanced", metavar="P", help="fast, balanced or best (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=whole_number, default=0, metavar="N", help="same seed, same result (default: 0)"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Leave each class out once, show a line a class."""
    from fieldguide.api.experimenting import novelty

    with terminal.progress() as progress:
        result = novelty(
            options.data,
            backbone=options.backbone,
            preset=options.preset,
            seed=options.seed,
            **reading(options),
            progress=progress,
        )
    say_doubts(result.doubts)
    for note in result.notes:
        terminal.say(f"note: {note}")
    answer = result.as_dict()
    say_refused(answer["refused"], len(answer["refused"]), "--json lists")
    _show(result, to_errors=options.json == STANDARD_OUTPUT)
    write_json(answer, options.json)
    return 1 if answer["refused"] else 0


def _show(result: "LeaveOneClassOut", *, to_errors: bool) -> None:
    from fieldguide.displays.novelty import lines

    tell = terminal.say if to_errors else terminal.show
    for line in lines(result):
        tell(line)
