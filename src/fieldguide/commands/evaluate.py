"""``fieldguide evaluate``: measure a model file on labelled photos."""

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide import terminal
from fieldguide.commands import evaluate_page as page
from fieldguide.commands import summary
from fieldguide.commands.options import STANDARD_OUTPUT, add_json, say_refused, write_json
from fieldguide.errors import OptionError

if TYPE_CHECKING:
    from fieldguide.dataset import Dataset
    from fieldguide.evaluation import Evaluation
    from fieldguide.leaks import Leaks
    from fieldguide.progress import Progress
    from fieldguide.rivals import Rivalry

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
    page.arguments(parser)
    parser.add_argument(
        "--against",
        type=Path,
        action="append",
        default=[],
        metavar="MODEL",
        help="another model file to compare with on the same photos; may be given several times",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Measure, show the page, write the JSON."""
    from fieldguide.dataset import open_dataset
    from fieldguide.evaluate import choose_split, evaluate
    from fieldguide.predictor import load
    from fieldguide.rivals import compare_models

    page.check(options)
    models = {name: load(path) for name, path in _named([options.model, *options.against]).items()}
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(terminal.progress())
        dataset = stack.enter_context(open_dataset(options.data, minimum_classes=1, progress=progress))
        foreign = None
        if options.foreign is not None:
            opened = open_dataset(options.foreign, minimum_classes=0, progress=progress)
            foreign = stack.enter_context(opened)
        chosen = choose_split(dataset, options.split)
        leaks = _leaks(dataset, chosen, progress)
        if options.report is not None:
            material = page.measure_and_write(models, (chosen, foreign), leaks, options, progress)
            measured, rivalry = material.evaluation, material.rivalry
        elif len(models) > 1:
            rivalry = compare_models(models, chosen, foreign=foreign, leaks=leaks, progress=progress)
            measured = rivalry.models[0].evaluation
        else:
            (model,), rivalry = models.values(), None
            measured = evaluate(model, chosen, foreign=foreign, leaks=leaks, progress=progress)
    for note in (*dataset.notes, *(foreign.notes if foreign else ())):
        terminal.say(f"note: {note}")
    return _report(measured, rivalry, options)


def _leaks(dataset: "Dataset", chosen: "Dataset", progress: "Progress") -> "Leaks | None":
    """Compare the images with the data's own training split, where they are another one."""
    from fieldguide.evaluate import learned_split
    from fieldguide.files import cache_folder
    from fieldguide.leaks import leaks_between

    training = learned_split(dataset, chosen)
    if training is None:
        return None
    return leaks_between(chosen, training, cache=cache_folder() / "features", progress=progress)


def _named(paths: list[Path]) -> dict[str, Path]:
    """Model files by name: of their files where these differ, else of their paths."""
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    if len(set(names)) < len(names):
        raise OptionError(f"--against: must be another model file than MODEL, and each once; got {names}")
    return dict(zip(names, paths, strict=True))


def _report(measured: "Evaluation", rivalry: "Rivalry | None", options: argparse.Namespace) -> int:
    answer = measured.as_dict()
    if rivalry is not None:
        answer["against"] = rivalry.as_dict()
    refused = [*answer["refused"], *answer.get("foreign", {}).get("refused", [])]
    say_refused(refused, len(refused), "--json lists")
    for label, images in measured.strangers:
        terminal.say(f"not measured: {images} images labelled {label!r}, which is not a class of the model")
    tell = terminal.say if options.json == STANDARD_OUTPUT else terminal.show
    for line in summary.lines(answer):
        tell(line)
    write_json(answer, options.json)
    return 1 if refused or measured.strangers else 0
