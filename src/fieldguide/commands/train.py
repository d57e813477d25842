"""``fieldguide train``: from labelled photos to one model file."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide import terminal
from fieldguide.commands import history, summary
from fieldguide.commands.options import (
    INTERRUPTED,
    STANDARD_OUTPUT,
    add_json,
    assignment,
    both,
    count,
    new_file,
    positive_number,
    say_refused,
    whole_number,
    write_json,
    written_progress,
)
from fieldguide.errors import OptionError

if TYPE_CHECKING:
    from fieldguide.train import TrainResult

NAME = "train"
HELP = "learn from labelled photos and write one model file"

RECIPE_OPTIONS = (
    "epochs",
    "batch_size",
    "learning_rate",
    "augment",
    "augment_with",
    "size",
    "architecture",
    "resume",
)
"""What only some recipes take; each recipe's ``OPTIONS`` names those that it does."""

NEEDS = {"preview": "augment", "plot": "epochs", "tensorboard": "epochs"}
"""What makes sense only with recipes that take another option."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare DATA, ``--out`` and the dials."""
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="class folders, split folders, a table or an archive"
    )
    parser.add_argument(
        "--out", type=new_file, required=True, metavar="MODEL.onnx", help="the model file to write"
    )
    parser.add_argument(
        "--recipe", default="linear-probe", metavar="R", help="way to train (default: %(default)s)"
    )
    parser.add_argument(
        "--backbone",
        metavar="B",
        help="pretrained network, see `fieldguide backbones` (default: the preset chooses)",
    )
    parser.add_argument(
        "--preset",
        choices=("fast", "balanced", "best"),
        default="balanced",
        help="from quickest to most accurate (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=whole_number, default=0, metavar="N", help="same seed, same file (default: 0)"
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="local weights of the backbone: no download"
    )
    parser.add_argument(
        "--corrections",
        type=Path,
        metavar="FILE",
        help="apply what `check --fix` wrote; the files stay as they are",
    )
    parser.add_argument(
        "--add",
        type=Path,
        metavar="DATA",
        help="more photos of the same classes to learn from, such as the app's corrections",
    )
    parser.add_argument(
        "--progress", type=new_file, metavar="FILE.jsonl", help="also write progress as JSON lines"
    )
    add_json(parser)
    _add_recipe_options(parser)


def run(options: argparse.Namespace) -> int:
    """Train, write the model, and tell what was chosen and what was reached."""
    from fieldguide.files import cache_folder
    from fieldguide.recipes.common import Setting
    from fieldguide.train import TrainOptions, train

    given = _recipe_options(options)
    with (
        written_progress(options.progress) as written,
        terminal.progress() as bars,
        history.reporter(options.tensorboard) as told,
    ):
        setting = Setting(
            backbone=options.backbone,
            preset=options.preset,
            seed=options.seed,
            weights=options.weights,
            cache=cache_folder() / "features",
            options=given,
            progress=both(bars, written),
            report=both(told, written.report),
            preview=options.preview,
        )
        result = train(
            TrainOptions(options.data, options.out, options.recipe, setting, options.corrections, options.add)
        )
    return _report(result, options)


def _report(result: "TrainResult", options: argparse.Namespace) -> int:
    answer = result.as_dict()
    for note in result.notes:
        terminal.say(f"note: {note}")
    say_refused(answer["refused"], len(result.refused), "--json lists")
    tell = terminal.say if options.json == STANDARD_OUTPUT else terminal.show
    tell("chosen")
    for choice in result.choices:
        tell(f"  {choice}")
    tell(f"measured on {result.measured_on}")
    for line in summary.lines(answer["validation"]):
        tell(line)
    images, seconds = answer["images"], answer["seconds"]["total"]
    tell(f"{answer['model']}: learned from {images['used']} images in {seconds:.1f} s")
    write_json(answer, options.json)
    if options.plot is not None:
        from fieldguide.history_picture import draw

        draw(result.fitted.history, result.fitted.kept_epoch, options.plot)
    if result.fitted.interrupted:
        return INTERRUPTED
    return 1 if images["refused"] else 0


def _add_recipe_options(parser: argparse.ArgumentParser) -> None:
    some = parser.add_argument_group("options of recipes that train a network step by step")
    some.add_argument("--epochs", type=count, metavar="N", help="passes over the images")
    some.add_argument("--batch-size", type=count, metavar="N", help="images a step")
    some.add_argument("--learning-rate", type=positive_number, metavar="X", help="size of a step")
    some.add_argument(
        "--augment", choices=("none", "light", "medium", "strong"), help="how much to vary the images"
    )
    some.add_argument(
        "--augment-with", metavar="SWITCHES", help="single switches of it, such as rotate=10,erase=0"
    )
    some.add_argument(
        "--set",
        type=assignment,
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="any other option of the recipe, such as shrinkage=0.7; docs/training.md lists them",
    )
    some.add_argument("--size", type=count, metavar="N", help="side of the network's input in pixels")
    some.add_argument(
        "--architecture", metavar="LAYERS", help="own network, such as 'conv 32, pool, conv 64, dense 128'"
    )
    some.add_argument(
        "--resume", action="store_true", default=None, help="go on where an interrupted run stopped"
    )

    some.add_argument(
        "--preview", type=new_file, metavar="FILE.png", help="draw what augmentation does to some images"
    )
    some.add_argument("--plot", type=new_file, metavar="FILE.png", help="draw the history of training")
    some.add_argument(
        "--tensorboard", type=Path, metavar="FOLDER", help="also log the history for TensorBoard"
    )


def _recipe_options(options: argparse.Namespace) -> dict[str, Any]:
    """What was given of the options that not every recipe takes."""
    from fieldguide.recipes import RECIPES, find

    flagged = {name: getattr(options, name) for name in RECIPE_OPTIONS if getattr(options, name) is not None}
    given = _assigned(options) | flagged
    needed = {name: name for name in flagged} | {
        name: need for name, need in NEEDS.items() if getattr(options, name) is not None
    }
    for name, need in needed.items():
        if need not in find(options.recipe).OPTIONS:
            takers = [other for other in RECIPES if need in find(other).OPTIONS]
            taken = f"recipes that do: {', '.join(takers)}" if takers else "no recipe of this version does"
            flag = "--" + name.replace("_", "-")
            raise OptionError(f"{flag}: the recipe {options.recipe} does not take it; {taken}; leave it out")
    return given


def _assigned(options: argparse.Namespace) -> dict[str, Any]:
    """What ``--set`` gave, of the options that have no flag of their own."""
    from fieldguide.recipes import find

    allowed = sorted(find(options.recipe).OPTIONS - set(RECIPE_OPTIONS))
    for name, _ in options.set:
        if name not in allowed:
            listed = ", ".join(allowed) or "none"
            raise OptionError(
                f"--set: the recipe {options.recipe} has no option {name!r} without a flag; it has {listed}"
            )
    return dict(options.set)
