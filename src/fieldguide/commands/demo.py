"""``fieldguide demo``: the whole line on data that the installation carries."""

import argparse
from pathlib import Path

from fieldguide.commands import terminal
from fieldguide.commands.shared.output_paths import new_folder_or

NAME = "demo"
HELP = "train, measure and use a model on data that the installation carries; no network"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``--out``."""
    parser.add_argument(
        "--out",
        type=new_folder_or(),
        default=Path("fieldguide-demo"),
        metavar="DIR",
        help="folder for the photos and the model, made if missing (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Run the demo; it tells of itself as it goes."""
    from fieldguide.demo import demo

    with terminal.progress() as progress:
        demo(options.out, progress, terminal.show)
    return 0
