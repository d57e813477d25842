"""``fieldguide explain``: a picture of what each place of a photo adds to an answer."""

import argparse
from pathlib import Path

from fieldguide.commands import terminal
from fieldguide.commands.shared.options import STANDARD_OUTPUT, add_json, write_json
from fieldguide.commands.shared.output_paths import new_png

NAME = "explain"
HELP = "draw which places of a photo speak for an answer, and which against it"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare MODEL, IMAGE, ``--out``, the class to explain and where the training images are."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    parser.add_argument("image", type=Path, metavar="IMAGE", help="a photo")
    parser.add_argument("--out", type=new_png, required=True, metavar="FILE", help="the picture, FILE.png")
    parser.add_argument("--label", metavar="L", help="the class to explain (default: the most probable one)")
    parser.add_argument(
        "--train", type=Path, metavar="DATA", help="also show the images of DATA that the photo is most like"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Explain, draw, say in a line what was found."""
    from fieldguide.api.predicting import explain
    from fieldguide.displays.explanation import lines
    from fieldguide.errors import RefusedInput

    with terminal.progress() as progress:
        try:
            explained = explain(
                options.model,
                options.image,
                out=options.out,
                label=options.label,
                train=options.train,
                progress=progress,
            )
        except RefusedInput as refused:
            terminal.say(f"refused {options.image}: {refused.message} ({refused.code})")
            return 1
    tell = terminal.say if options.json == STANDARD_OUTPUT else terminal.show
    for line in lines(explained):
        tell(line)
    write_json(explained.as_dict(), options.json, indent=None)
    return 0
