"""``fieldguide pretrained``: a backbone's own ImageNet classes as a model file, no training."""

import argparse
from pathlib import Path

from fieldguide.commands import terminal
from fieldguide.commands.shared.output_paths import new_model
from fieldguide.installation import program_command

NAME = "pretrained"
HELP = "write a model file of a network's own ImageNet classes, no training"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare BACKBONE, ``--out`` and ``--weights``."""
    parser.add_argument("backbone", metavar="BACKBONE", help=f"a name of `{program_command('backbones')}`")
    parser.add_argument(
        "--out", type=new_model, required=True, metavar="MODEL.onnx", help="the model file to write"
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="local weights of the backbone: no download"
    )


def run(options: argparse.Namespace) -> int:
    """Write the model file."""
    from fieldguide.learning.pretrained import pretrained

    with terminal.progress() as progress:
        pretrained(options.backbone, options.out, weights=options.weights, progress=progress)
    terminal.show(f"{options.out}: {options.backbone} with its own ImageNet classes")
    return 0
