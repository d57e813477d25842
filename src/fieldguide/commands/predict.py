"""``fieldguide predict``: answers for photos, into a file or line by line on standard output.

A line has label, probability, typicality and path (then the classes of ``--top`` if it was given), aligned on
a terminal and separated by tabs elsewhere. A photo of something else is ``unknown (nearest label)``, an image
that could not be read ``refused (code)``. Programs should read ``--out FILE.jsonl``.
"""

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.commands import terminal
from fieldguide.commands.shared.doubts import say_deep_grey
from fieldguide.commands.shared.options import add_cluster, count, say_refused
from fieldguide.commands.shared.output_paths import new_file_ending, new_folder_or, or_object
from fieldguide.commands.shared.sorted_photos import say_sorted
from fieldguide.commands.shared.standard_input import with_names_read
from fieldguide.errors import OptionError

if TYPE_CHECKING:
    from fieldguide.prediction.inputs import Inputs
    from fieldguide.prediction.predictor import Predictor
    from fieldguide.prediction.result import Prediction
    from fieldguide.prediction.writers import WriteResult
    from fieldguide.progress import Progress
    from fieldguide.storage.object_store import ObjectUrl

NAME = "predict"
HELP = "say what photos show: files, folders, globs, archives or a table"

FORMS = ("label-studio", "cvat", "fiftyone")
"""The keys of :data:`fieldguide.prediction.preannotations.FORMS`, which is not imported for ``--help``."""
BYS = ("copy", "hardlink", "move")
"""As :data:`fieldguide.prediction.sorting.planning.BYS`."""
DEFAULT_TOP = 5
ENDINGS = (".csv", ".jsonl", ".parquet")
new_rows: Callable[[str], "Path | ObjectUrl"] = or_object(
    new_file_ending(*ENDINGS, ".json", ".xml", needed=True), *ENDINGS
)
new_parts: Callable[[str], "Path | ObjectUrl"] = or_object(new_folder_or(), "")
LEAST_WIDTH, MOST_WIDTH = 20, 40
"""Of the first column on a terminal, in characters."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare MODEL, PATH..., ``--out``, ``--form``, ``--top`` and ``--sort-into``."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="files, folders, globs, archives, a table, a URL such as s3://…; - for names on standard input",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="write to FILE.csv, .jsonl or .parquet; with --cluster to a folder of parts",
    )
    parser.add_argument(
        "--form",
        choices=FORMS,
        help="with --out: pre-annotations for a tool, .json for label-studio and fiftyone, .xml for cvat",
    )
    parser.add_argument("--top", type=count, metavar="K", help=f"classes to list (default: {DEFAULT_TOP})")
    add_cluster(parser, "predict")
    parser.add_argument(
        "--retry-refused", action="store_true", help="with --cluster: try again what an earlier run refused"
    )
    parser.add_argument(
        "--allow-refused", action="store_true", help="exit code 0 even where some inputs were refused"
    )
    _filing_arguments(parser)


def _filing_arguments(parser: argparse.ArgumentParser) -> None:
    filed = parser.add_argument_group("put photos where their labels say, or write the labels beside them")
    filed.add_argument(
        "--sort-into",
        type=new_folder_or(),
        metavar="FOLDER",
        help="a folder per label; `undo` takes it back",
    )
    filed.add_argument("--by", choices=BYS, help="with --sort-into: how photos come there (default: copy)")
    filed.add_argument(
        "--write-tags", action="store_true", help="write labels into XMP sidecars; photos are not changed"
    )
    filed.add_argument(
        "--tag-unknown", action="store_true", help="with --write-tags: tag unknown photos `unknown`"
    )
    filed.add_argument("--dry-run", action="store_true", help="only say what would be done")


def run(options: argparse.Namespace) -> int:
    """Predict, into the file or line by line."""
    from fieldguide.cluster.predict import check_cluster
    from fieldguide.prediction.inputs import find_inputs
    from fieldguide.prediction.predictor import load

    _check(options)
    check_cluster(options.cluster, options.out, options.form, options.retry_refused)
    options.out = _place(options)
    paths = with_names_read(options.paths)
    if options.sort_into is not None:
        return _sort(options, paths)
    if options.write_tags:
        return _tag(options, paths)
    model = load(options.model)
    with contextlib.ExitStack() as stack:
        with terminal.progress() as progress:
            inputs = find_inputs(paths, stack=stack, progress=progress)
        for note in (*model.limits, *inputs.notes):
            terminal.say(f"note: {note}")
        say_deep_grey(item for item in inputs.items if type(item) is str)  # objects are not fetched for it
        refused = _show(model, inputs, options) if options.out is None else _write(model, inputs, options)
    return 1 if refused and not options.allow_refused else 0


def _place(options: argparse.Namespace) -> "Path | ObjectUrl | None":
    """Where results go: what a name may be depends on whether it is a file or a folder of parts."""
    if options.out is None:
        return None
    try:
        return (new_rows if options.cluster is None else new_parts)(options.out)
    except argparse.ArgumentTypeError as error:
        raise OptionError(f"argument --out: {error}") from error


def _check(options: argparse.Namespace) -> None:
    """Refuse options that do not go together, as the function of Python does."""
    from fieldguide.api.filing import check_options

    check_options(
        out=options.out,
        form=options.form,
        top=options.top,
        sort_into=options.sort_into,
        by=options.by,
        dry_run=options.dry_run,
        write_tags=options.write_tags,
        tag_unknown=options.tag_unknown,
    )


def _tag(options: argparse.Namespace, paths: list[str]) -> int:
    from fieldguide.api.predicting import predict
    from fieldguide.prediction.predictor import load

    model = load(options.model)
    with terminal.progress() as progress:
        done = predict(model, paths, write_tags=True, tag_unknown=options.tag_unknown, progress=progress)
    for note in (*model.limits, *done.notes):
        terminal.say(f"note: {note}")
    say_refused([one.as_dict() for one in done.left], len(done.left), "the result in Python has")
    counts = ", ".join(f"{number} {word}" for word, number in sorted(done.counts.items()))
    terminal.say(f"sidecars: {counts or 'none written'}, {len(done.left)} left")
    return 1 if done.left and not options.allow_refused else 0


def _sort(options: argparse.Namespace, paths: list[str]) -> int:
    from fieldguide.api.predicting import predict
    from fieldguide.prediction.predictor import load

    model = load(options.model)
    for note in model.limits:
        terminal.say(f"note: {note}")
    with terminal.progress() as progress:
        done = predict(
            model,
            paths,
            sort_into=options.sort_into,
            by=options.by,
            dry_run=options.dry_run,
            progress=progress,
        )
    return say_sorted(done, options.sort_into, allow_refused=options.allow_refused)


def _write(model: "Predictor", inputs: "Inputs", options: argparse.Namespace) -> int:
    with terminal.progress() as progress:
        written = _written(model, inputs, options, progress)
    for note in written.notes:
        terminal.say(f"note: {note}")
    say_refused(
        [refusal.as_dict() for refusal in written.first_refused], written.refused, f"{options.out} has"
    )
    kept = f", {written.kept} of them kept from an earlier run" if written.kept else ""
    terminal.say(f"{options.out}: {written.rows} rows{kept}")
    return written.refused


def _written(
    model: "Predictor", inputs: "Inputs", options: argparse.Namespace, progress: "Progress"
) -> "WriteResult":
    from fieldguide.prediction.preannotations import write_preannotations
    from fieldguide.prediction.writers import write_predictions

    if options.cluster is not None:
        from fieldguide.cluster.predict import ClusterRun, predict_on_cluster

        run = ClusterRun(options.cluster, options.retry_refused, options.top or DEFAULT_TOP, options.top or 1)
        return predict_on_cluster(model, inputs, options.out, run, progress=progress)
    if options.form is not None:
        return write_preannotations(model, inputs, options.out, options.form, progress=progress)
    top = options.top or DEFAULT_TOP
    return write_predictions(model, inputs, options.out, top=top, listed=options.top or 1, progress=progress)


def _show(model: "Predictor", inputs: "Inputs", options: argparse.Namespace) -> int:
    refused = 0
    aligned = sys.stdout.isatty()
    widest = max(len(f"unknown ({label})") for label in model.classes)
    width = min(max(widest, LEAST_WIDTH), MOST_WIDTH)
    if aligned:
        terminal.show(f"{'answer':<{width}}  probability  typicality  path")
    for prediction in model.predict_stream(inputs.items, top=options.top or DEFAULT_TOP):
        cells = list(_cells(prediction, listed=options.top is not None))
        if aligned:
            cells = [
                f"{terminal.escaped(cells[0]):<{width}}  {cells[1]:>11}  {cells[2]:>10}",
                "  ".join(cells[3:]),
            ]
            terminal.show("  ".join(cells))
        else:
            terminal.show(*cells)
        if prediction.error is not None:
            refused += 1
            terminal.say(f"refused {prediction.path}: {prediction.error.message} ({prediction.error.code})")
    return refused


def _answer(prediction: "Prediction") -> str:
    if prediction.labels is None:
        return str(prediction.label)
    return ", ".join(prediction.labels) or "(no tag)"


def _cells(prediction: "Prediction", listed: bool) -> Iterator[str]:
    path = prediction.path or ""
    if prediction.error is not None or prediction.label is None:
        yield from (f"refused ({prediction.error.code if prediction.error else ''})", "-", "-", path)
        return
    yield f"unknown ({prediction.label})" if prediction.unknown else _answer(prediction)
    yield f"{prediction.probability:.3f}"
    yield f"{prediction.typicality:.3f}"
    yield path
    if listed:
        yield ", ".join(f"{label} {probability:.3f}" for label, probability in prediction.top)
