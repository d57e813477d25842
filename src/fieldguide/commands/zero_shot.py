"""``fieldguide zero-shot``: class names instead of photos, by an encoder of images and texts."""

import argparse
from typing import TYPE_CHECKING

from fieldguide.commands import terminal
from fieldguide.commands.shared.options import (
    STANDARD_OUTPUT,
    add_json,
    data_place,
    say_refused,
    whole_number,
    write_json,
)
from fieldguide.commands.shared.output_paths import new_model
from fieldguide.commands.shared.standard_input import with_names_read

if TYPE_CHECKING:
    from fieldguide.learning.zero_shot.result import ZeroShotResult

NAME = "zero-shot"
HELP = "make a model of class names, without training: CLIP, SigLIP"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare BACKBONE, the names, and the photos that make promises."""
    parser.add_argument(
        "backbone",
        metavar="BACKBONE",
        help="encoder of images and texts: a folder with a slash in its name, clip_vit_b32 or siglip2_base",
    )
    parser.add_argument(
        "--classes",
        required=True,
        metavar="NAMES",
        help='names separated by commas, such as "oak,beech,none of these"; or a .txt file, a name a line',
    )
    parser.add_argument(
        "--out", type=new_model, required=True, metavar="MODEL.onnx", help="the model file to write"
    )
    parser.add_argument(
        "--prompt",
        action="append",
        default=[],
        metavar="TEXT",
        help='what is read for a name, with {} for it (default: "a photo of a {}"); several are averaged',
    )
    parser.add_argument(
        "--photos",
        nargs="+",
        default=[],
        metavar="PATH",
        help="photos without labels: what is unlike them is unknown; they also lower confidence",
    )
    parser.add_argument(
        "--labelled",
        type=data_place,
        metavar="DATA",
        help="a handful of photos with labels: calibrates, gives prediction sets, and is learned from",
    )
    parser.add_argument(
        "--seed", type=whole_number, default=0, metavar="N", help="same seed, same file (default: 0)"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Write the model file and say what it can promise."""
    from fieldguide.api.naming import zero_shot

    with terminal.progress() as progress:
        result = zero_shot(
            options.backbone,
            classes=options.classes,
            out=options.out,
            prompt=options.prompt,
            photos=with_names_read(options.photos),
            labelled=options.labelled,
            seed=options.seed,
            progress=progress,
        )
    for note in result.notes:
        terminal.say(f"note: {note}")
    answer = result.as_dict()
    say_refused(answer["refused"], len(answer["refused"]), "--json lists")
    _show(result, to_errors=options.json == STANDARD_OUTPUT)
    write_json(answer, options.json)
    return 1 if answer["refused"] else 0


def _show(result: "ZeroShotResult", *, to_errors: bool) -> None:
    from fieldguide.displays.zero_shot import lines

    tell = terminal.say if to_errors else terminal.show
    for line in lines(result):
        tell(line)
