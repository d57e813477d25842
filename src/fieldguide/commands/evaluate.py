"""``fieldguide evaluate``: measure a model file on labelled photos."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.commands import terminal
from fieldguide.commands.shared.doubts import say_doubts
from fieldguide.commands.shared.options import (
    STANDARD_OUTPUT,
    add_data,
    add_json,
    form_name,
    reading,
    say_refused,
    write_json,
)
from fieldguide.commands.shared.output_paths import new_page
from fieldguide.displays import summary

if TYPE_CHECKING:
    from fieldguide.evaluation.model_evaluation import ModelEvaluation, ModelTagEvaluation

NAME = "evaluate"
HELP = "measure a model file on labelled photos"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare MODEL, DATA and what to measure on."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    add_data(parser)
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
        "--foreign-form",
        type=form_name,
        metavar="NAME",
        help="which form --foreign is of (default: recognised)",
    )
    _add_page(parser)
    parser.add_argument(
        "--against",
        type=Path,
        action="append",
        default=[],
        metavar="MODEL",
        help="another model file to compare with on the same photos; may be given several times",
    )
    add_json(parser)


def _add_page(parser: argparse.ArgumentParser) -> None:
    """Declare ``--report`` and what may be added to it."""
    parser.add_argument(
        "--report", type=new_page, metavar="FILE.html", help="also write a page to look at: one HTML file"
    )
    parser.add_argument(
        "--plots", type=Path, metavar="DIR", help="with --report: plots as SVG and PNG, numbers as CSV"
    )
    parser.add_argument(
        "--findings", type=Path, metavar="FILE", help="with --report: what `check --json FILE` wrote"
    )
    parser.add_argument(
        "--learning-curve",
        type=Path,
        metavar="FILE",
        help="with --report: what `compare --curve --json FILE` wrote",
    )


def run(options: argparse.Namespace) -> int:
    """Measure, show the page, write the JSON."""
    from fieldguide.api.measuring import evaluate

    page = ("report", "plots", "findings", "learning_curve")
    with terminal.progress() as progress:
        measured = evaluate(
            options.model,
            options.data,
            split=options.split,
            foreign=options.foreign,
            foreign_form=options.foreign_form,
            against=options.against,
            **{name: getattr(options, name) for name in page},
            **reading(options),
            progress=progress,
        )
    say_doubts(measured.doubts)
    for note in measured.notes:
        terminal.say(f"note: {note}")
    return _report(measured, options)


def _report(measured: "ModelEvaluation | ModelTagEvaluation", options: argparse.Namespace) -> int:
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
