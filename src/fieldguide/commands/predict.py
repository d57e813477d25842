"""``fieldguide predict``: answers for photos, into a file or line by line on standard output.

A line has label, probability, typicality and path (then the classes of ``--top`` if it was given), aligned on
a terminal and separated by tabs elsewhere. A photo of something else is ``unknown (nearest label)``, an image
that could not be read ``refused (code)``. Programs should read ``--out FILE.jsonl``.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide import terminal
from fieldguide.commands.options import count, new_file, say_refused

if TYPE_CHECKING:
    from fieldguide.predict_inputs import Inputs
    from fieldguide.prediction import Prediction
    from fieldguide.predictor import Predictor

NAME = "predict"
HELP = "say what is on photos: files, folders, globs or a table"

DEFAULT_TOP = 5
LEAST_WIDTH, MOST_WIDTH = 20, 40
"""Of the first column on a terminal, in characters."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare MODEL, PATH..., ``--out`` and ``--top``."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, globs, or a table of paths")
    parser.add_argument("--out", type=new_file, metavar="FILE", help="write to FILE.csv, .jsonl or .parquet")
    parser.add_argument("--top", type=count, metavar="K", help=f"classes to list (default: {DEFAULT_TOP})")


def run(options: argparse.Namespace) -> int:
    """Predict, into the file or line by line."""
    from fieldguide.predict_inputs import find_inputs
    from fieldguide.predictor import load

    model = load(options.model)
    with terminal.progress() as progress:
        inputs = find_inputs(options.paths, progress=progress)
    for note in inputs.notes:
        terminal.say(f"note: {note}")
    refused = _show(model, inputs, options) if options.out is None else _write(model, inputs, options)
    return 1 if refused else 0


def _write(model: "Predictor", inputs: "Inputs", options: argparse.Namespace) -> int:
    from fieldguide.prediction_writers import write_predictions

    with terminal.progress() as progress:
        top = options.top or DEFAULT_TOP
        written = write_predictions(model, inputs, options.out, top=top, progress=progress)
    for note in written.notes:
        terminal.say(f"note: {note}")
    say_refused(
        [refusal.as_dict() for refusal in written.first_refused], written.refused, f"{options.out} has"
    )
    kept = f", {written.kept} of them kept from an earlier run" if written.kept else ""
    terminal.say(f"{options.out}: {written.rows} rows{kept}")
    return written.refused


def _show(model: "Predictor", inputs: "Inputs", options: argparse.Namespace) -> int:
    refused = 0
    aligned = sys.stdout.isatty()
    widest = max(len(f"unknown ({label})") for label in model.classes)
    width = min(max(widest, LEAST_WIDTH), MOST_WIDTH)
    for prediction in model.predict_stream(inputs.items, top=options.top or DEFAULT_TOP):
        cells = list(_cells(prediction, listed=options.top is not None))
        if aligned:
            cells = [
                f"{terminal.escaped(cells[0]):<{width}}  {cells[1]:>5}  {cells[2]:>5}",
                "  ".join(cells[3:]),
            ]
            terminal.show("  ".join(cells))
        else:
            terminal.show(*cells)
        if prediction.error is not None:
            refused += 1
            terminal.say(f"refused {prediction.path}: {prediction.error.message} ({prediction.error.code})")
    return refused


def _cells(prediction: "Prediction", listed: bool) -> Iterator[str]:
    path = prediction.path or ""
    if prediction.error is not None or prediction.label is None:
        yield from (f"refused ({prediction.error.code if prediction.error else ''})", "-", "-", path)
        return
    yield f"unknown ({prediction.label})" if prediction.unknown else prediction.label
    yield f"{prediction.probability:.3f}"
    yield f"{prediction.typicality:.3f}"
    yield path
    if listed:
        yield ", ".join(f"{label} {probability:.3f}" for label, probability in prediction.top)
