"""``fieldguide evaluate``: measure a model file on labelled photos."""

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide import terminal
from fieldguide.commands import summary
from fieldguide.commands.options import STANDARD_OUTPUT, add_json, new_file, say_refused, write_json

if TYPE_CHECKING:
    from fieldguide.dataset import Dataset
    from fieldguide.evaluation import Evaluation
    from fieldguide.leaks import Leaks
    from fieldguide.predictor import Predictor
    from fieldguide.progress import Progress

NAME = "evaluate"
HELP = "measure a model file on labelled photos"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare MODEL, DATA and what to measure on."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="class folders, split folders, a table or an archive"
    )
    parser.add_argument(
        "--split",
        choices=("train", "validation", "test", "all"),
        metavar="NAME",
        help="train, validation, test or all (default: test where there is one, else all)",
    )
    parser.add_argument(
        "--foreign", type=Path, metavar="DATA", help="photos of other things, to be told apart"
    )
    parser.add_argument(
        "--report", type=new_file, metavar="FILE.html", help="also write a page to look at, one HTML file"
    )
    parser.add_argument(
        "--plots",
        type=Path,
        metavar="DIR",
        help="with --report: also its plots as SVG and PNG, numbers as CSV",
    )
    parser.add_argument(
        "--findings",
        type=Path,
        metavar="FILE",
        help="with --report: what `check --json FILE` found in the data",
    )
    parser.add_argument(
        "--learning-curve",
        type=Path,
        metavar="FILE",
        help="with --report: what `compare --curve --json FILE` wrote",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Measure, show the page, write the JSON."""
    from fieldguide.dataset import open_dataset
    from fieldguide.evaluate import choose_split
    from fieldguide.predictor import load

    _check(options)
    model = load(options.model)
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(terminal.progress())
        dataset = stack.enter_context(open_dataset(options.data, minimum_classes=1, progress=progress))
        foreign = None
        if options.foreign is not None:
            opened = open_dataset(options.foreign, minimum_classes=0, progress=progress)
            foreign = stack.enter_context(opened)
        chosen = choose_split(dataset, options.split)
        leaks = _leaks(dataset, chosen, progress)
        measured = _measured(model, (chosen, foreign), leaks, options, progress)
    for note in (*dataset.notes, *(foreign.notes if foreign else ())):
        terminal.say(f"note: {note}")
    return _report(measured, options)


def _check(options: argparse.Namespace) -> None:
    """Nothing is measured for minutes before it turns out that its report cannot be written."""
    from fieldguide.errors import OptionError

    for name in ("plots", "findings", "learning_curve"):
        if options.report is None and getattr(options, name) is not None:
            flag = "--" + name.replace("_", "-")
            raise OptionError(f"{flag}: belongs to --report, which was not given; add --report FILE.html")
    if options.report is not None:
        from fieldguide.page import require_jinja
        from fieldguide.page_figures import require_matplotlib

        require_jinja()
        require_matplotlib()


def _leaks(dataset: "Dataset", chosen: "Dataset", progress: "Progress") -> "Leaks | None":
    """Compare the images with the data's own training split, where they are another one."""
    from fieldguide.evaluate import learned_split
    from fieldguide.files import cache_folder
    from fieldguide.leaks import leaks_between

    training = learned_split(dataset, chosen)
    if training is None:
        return None
    return leaks_between(chosen, training, cache=cache_folder() / "features", progress=progress)


def _measured(
    model: "Predictor",
    images: "tuple[Dataset, Dataset | None]",
    leaks: "Leaks | None",
    options: argparse.Namespace,
    progress: "Progress",
) -> "Evaluation":
    """Measure, and write the report where it is asked for, while the images of an archive are still there."""
    from fieldguide.evaluate import evaluate

    chosen, foreign = images
    if options.report is None:
        return evaluate(model, chosen, foreign=foreign, leaks=leaks, progress=progress)
    from fieldguide.report import write_report
    from fieldguide.report.gather import Asked, gather

    asked = Asked(
        model=options.model,
        data=options.data,
        split=options.split,
        foreign=options.foreign,
        findings=options.findings,
        learning_curve=options.learning_curve,
    )
    material = gather(model, chosen, asked, foreign=foreign, leaks=leaks, progress=progress)
    write_report(material, options.report, plots=options.plots, progress=progress)
    return material.evaluation


def _report(measured: "Evaluation", options: argparse.Namespace) -> int:
    answer = measured.as_dict()
    refused = [*answer["refused"], *answer.get("foreign", {}).get("refused", [])]
    say_refused(refused, len(refused), "--json lists")
    for label, images in measured.strangers:
        terminal.say(f"not measured: {images} images labelled {label!r}, which is not a class of the model")
    tell = terminal.say if options.json == STANDARD_OUTPUT else terminal.show
    for line in summary.lines(answer):
        tell(line)
    write_json(answer, options.json)
    return 1 if refused or measured.strangers else 0
