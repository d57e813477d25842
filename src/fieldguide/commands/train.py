"""``fieldguide train``: from labelled photos to one model file."""

import argparse
from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide.commands import terminal
from fieldguide.commands.shared import history
from fieldguide.commands.shared.doubts import add_yes, begin, say_doubts
from fieldguide.commands.shared.options import (
    INTERRUPTED,
    STANDARD_OUTPUT,
    add_cluster,
    add_data,
    add_json,
    assignment,
    both,
    count,
    data_options,
    form_name,
    positive_number,
    say_refused,
    whole_number,
    write_json,
    written_progress,
)
from fieldguide.commands.shared.output_paths import new_lines, new_model, new_png
from fieldguide.displays import summary
from fieldguide.errors import OptionError
from fieldguide.installation import program_command

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset
    from fieldguide.learning.train import TrainResult
    from fieldguide.recipes.common import Options

NAME = "train"
HELP = "learn from labelled photos and write one model file"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare DATA, ``--out`` and the dials."""
    add_data(parser)
    parser.add_argument("--out", type=new_model, metavar="MODEL.onnx", help="the model file to write")
    parser.add_argument(
        "--recipe", default="linear-probe", metavar="R", help="way to train (default: %(default)s)"
    )
    parser.add_argument(
        "--backbone",
        metavar="B",
        help=f"pretrained network, see `{program_command('backbones')}` (default: the preset chooses)",
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
        "--precision",
        type=positive_number,
        metavar="P",
        help="of tags: give those of which so large a share is true, such as 0.9 (default: best F1)",
    )
    _add_photos(parser)
    parser.add_argument(
        "--progress", type=new_lines, metavar="FILE.jsonl", help="also write progress as JSON lines"
    )
    _add_understanding(parser)
    add_cluster(parser, "compute features")
    add_json(parser)
    _add_recipe_options(parser)


def _add_photos(parser: argparse.ArgumentParser) -> None:
    """Declare what changes or adds to the photos of DATA."""
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
        "--add-form", type=form_name, metavar="NAME", help="which form --add is of (default: recognised)"
    )


def _add_understanding(parser: argparse.ArgumentParser) -> None:
    """Declare how DATA is understood, and what of it may be left out."""
    add_yes(parser)
    parser.add_argument(
        "--allow-refused", action="store_true", help="exit code 0 even where some photos were refused"
    )


def run(options: argparse.Namespace) -> int:
    """Train, write the model, and tell what was chosen and what was reached."""
    from fieldguide.cluster.features import features_on_cluster

    with features_on_cluster(options.cluster, [options.recipe]):
        return _trained(options)


def _trained(options: argparse.Namespace) -> int:
    from fieldguide.recipes.launched import launched_together

    wanted = _wanted(options)
    with launched_together(options.recipe) as leads:
        return _trained_as(options, wanted) if leads else 0


def _trained_as(options: argparse.Namespace, wanted: "Options") -> int:
    from fieldguide.commands.shared.rate_finding import show_rates
    from fieldguide.data.split_names import SplitChoice
    from fieldguide.files import cache_folder
    from fieldguide.learning.train import TrainOptions, train
    from fieldguide.recipes.common import Run

    if options.find_rate is not False:
        return show_rates(options, wanted)
    if options.out is None:
        raise OptionError("--out: is missing; give the model file to write, such as --out model.onnx")
    told: list[str] = []

    def tell(dataset: "Dataset") -> None:
        told.extend(dataset.notes)
        begin(dataset, yes=options.yes)

    with (
        written_progress(options.progress) as written,
        terminal.progress() as bars,
        history.reporter(options.tensorboard) as summary,
    ):
        run = Run(
            cache=cache_folder() / "features",
            progress=both(bars, written),
            report=both(summary, written.report),
            preview=options.preview,
        )
        result = train(
            TrainOptions(
                options.data,
                options.out,
                options.recipe,
                wanted,
                run,
                options.corrections,
                options.add,
                options.splits or SplitChoice(),
                data_options(options),
                tell,
                options.add_form,
            )
        )
    return _report(result, options, told)


def _wanted(options: argparse.Namespace) -> "Options":
    """What is wished of the recipe."""
    from fieldguide.recipes.common import Options

    return Options(
        options.backbone,
        options.preset,
        options.seed,
        options.weights,
        _recipe_options(options),
        options.precision,
    )


def _report(result: "TrainResult", options: argparse.Namespace, told: Container[str]) -> int:
    answer = result.as_dict()
    lost = [doubt for doubt in result.doubts if doubt.code == "class_lost"]
    say_doubts(lost)
    for note in result.notes:
        if note not in told:
            terminal.say(f"note: {note}")
    say_refused(answer["refused"], len(result.refused), "--json lists")
    tell = terminal.say if options.json == STANDARD_OUTPUT else terminal.show
    tell("chosen")
    for choice in result.choices:
        tell(f"  {choice}")
    tell(f"measured on {result.measured_on}")
    for line in summary.lines(answer["validation"]):
        tell(line)
    for sentence in answer["limits"]:
        tell(sentence)
    write_json(answer, options.json)
    if options.plot is not None:
        from fieldguide.learning.history_plot import draw

        fitted = result.fitted
        draw(fitted.history, fitted.kept_epoch, options.plot, fitted.outcome)
    refused = answer["images"]["refused"]
    tell(_last_line(answer, refused))
    if result.fitted.interrupted:
        return INTERRUPTED
    return 1 if refused and not options.allow_refused else 0


def _last_line(answer: dict[str, Any], refused: int) -> str:
    used, seconds = answer["images"]["used"], answer["seconds"]["total"]
    line = f"{answer['model']}: written, learned from {used} images in {seconds:.1f} s"
    if not refused:
        return line
    images = "1 image was" if refused == 1 else f"{refused} images were"
    return f"{line}; {images} refused, the model was written without"


def _add_recipe_options(parser: argparse.ArgumentParser) -> None:
    some = parser.add_argument_group("options of recipes that train a network step by step")
    some.add_argument(
        "--minutes",
        type=positive_number,
        metavar="M",
        help="time from the photos to the model (default: 5, 15 or 60, by preset)",
    )
    some.add_argument(
        "--download",
        action="store_true",
        default=None,
        help="auto may fetch a backbone of another family; it says what, how large, under which licence",
    )
    some.add_argument(
        "--devices",
        type=count,
        metavar="N",
        help="GPUs, or without them processes on this machine, that share each step (default: 1)",
    )
    some.add_argument("--epochs", type=count, metavar="N", help="passes over the images")
    some.add_argument("--batch-size", type=count, metavar="N", help="images a step")
    some.add_argument("--learning-rate", type=positive_number, metavar="X", help="size of a step")
    some.add_argument(
        "--find-rate",
        type=new_png,
        nargs="?",
        default=False,
        metavar="FILE.png",
        help="only try growing learning rates for 100 steps, suggest one, and draw the losses",
    )
    some.add_argument(
        "--augment", choices=("none", "light", "medium", "strong"), help="how much to vary the images"
    )
    some.add_argument(
        "--augment-with", metavar="SWITCHES", help="single switches of it, such as rotate=10,erase=0"
    )
    _add_own(some)


def _add_own(some: argparse._ArgumentGroup) -> None:
    """Declare what a recipe's own options are set by, and what shows or continues its training."""
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
        "--architecture",
        metavar="NAME|LAYERS",
        help="own network: resnet18 (see `fieldguide architecture`) or 'conv 32, pool, conv 64, dense 128'",
    )
    some.add_argument(
        "--resume",
        action="store_true",
        default=None,
        help="continue an interrupted run of the same command (this is the default)",
    )
    some.add_argument(
        "--restart",
        action="store_true",
        default=None,
        help="discard what an interrupted run has kept; with --resume, only if it is another run's",
    )
    some.add_argument(
        "--preview", type=new_png, metavar="FILE.png", help="draw what augmentation does to some images"
    )
    some.add_argument("--plot", type=new_png, metavar="FILE.png", help="draw the history of training")
    some.add_argument(
        "--tensorboard", type=Path, metavar="FOLDER", help="also log the history for TensorBoard"
    )


def _recipe_options(options: argparse.Namespace) -> dict[str, Any]:
    """What was given of the options that not every recipe takes."""
    from fieldguide.recipes.settings import NEEDS, RECIPE_OPTIONS, settings_for

    given = {name: getattr(options, name) for name in (*RECIPE_OPTIONS, *NEEDS)}
    return settings_for(options.recipe, given, options.set)
