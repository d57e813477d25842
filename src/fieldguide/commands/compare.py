"""``fieldguide compare``: ways of training side by side."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from fieldguide.commands import terminal
from fieldguide.commands.shared.doubts import say_doubts
from fieldguide.commands.shared.options import (
    STANDARD_OUTPUT,
    add_cluster,
    add_data,
    add_json,
    count,
    reading,
    say_refused,
    whole_number,
    write_json,
)

if TYPE_CHECKING:
    from rich.table import Table

    from fieldguide.experiments.comparison import Comparison
    from fieldguide.experiments.learning_curve import LearningCurve

NAME = "compare"
HELP = "try ways of training side by side, and say which differences are real"

MOST_PAIRS = 10
"""Pairs told on the terminal; the JSON has them all."""
COLUMN_OF = {"accuracy": "accuracy", "map": "mean AP"}
"""Headings of what candidates are ranked by: accuracy, of tags mean average precision."""
WIDE = 100
"""Columns of the terminal from which on all figures are shown."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare DATA and what to try on it."""
    add_data(parser)
    parser.add_argument(
        "--recipes", type=names, metavar="R,R", help="ways to train (default: those that take seconds)"
    )
    parser.add_argument(
        "--backbones", type=names, metavar="B,B", help="pretrained networks to try, at their own size"
    )
    parser.add_argument(
        "--presets",
        type=names,
        metavar="P,P",
        help="presets to try (default: fast,balanced; none with --backbones)",
    )
    parser.add_argument(
        "--folds", type=count, default=5, metavar="K", help="parts held out in turn (default: 5)"
    )
    parser.add_argument(
        "--seed", type=whole_number, default=0, metavar="N", help="same seed, same folds (default: 0)"
    )
    parser.add_argument(
        "--curve",
        action="store_true",
        help="also measure what more photos would bring to the recommended one",
    )
    add_cluster(parser, "compute features and learn folds")
    add_json(parser)


def names(text: str) -> list[str]:
    """Names separated by commas."""
    found = [name.strip() for name in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"must be names separated by commas; got {text!r}")
    return list(dict.fromkeys(found))


def run(options: argparse.Namespace) -> int:
    """Compare, show the table, the differences and the recommendation."""
    from fieldguide.api.experimenting import compare

    with terminal.progress() as progress:
        result = compare(
            options.data,
            recipes=options.recipes,
            backbones=options.backbones,
            presets=options.presets,
            folds=options.folds,
            seed=options.seed,
            curve=options.curve,
            cluster=options.cluster,
            **reading(options),
            progress=progress,
        )
    say_doubts(result.doubts)
    for note in result.notes:
        terminal.say(f"note: {note}")
    return _report(result, options)


def _report(result: "Comparison", options: argparse.Namespace) -> int:
    answer = result.as_dict()
    say_refused(answer["refused"], len(answer["refused"]), "--json lists")
    if result.reused:
        terminal.say(f"{result.reused} folds were taken from earlier runs over the same images")
    _show(result, to_errors=options.json == STANDARD_OUTPUT)
    write_json(answer, options.json)
    failed = any(row.evaluation is None for row in result.rows)
    return 1 if answer["refused"] or failed else 0


def _show(result: "Comparison", *, to_errors: bool) -> None:
    from rich.console import Console

    stream = sys.stderr if to_errors else sys.stdout
    console = Console(file=stream, markup=False, highlight=False, emoji=False)
    tell = terminal.say if to_errors else terminal.show
    tell(
        f"{result.images} images, {result.folds} folds; each image answered by a model that had not seen it;"
    )
    tell("ranges hold the true value with 95 % confidence")
    console.print(_table(result, console.width))
    for row in result.rows:
        if row.error is not None:
            tell(f"{row.candidate.name} failed: {row.error}")
    for pair in result.pairs[:MOST_PAIRS]:
        tell(pair.sentence)
    if len(result.pairs) > MOST_PAIRS:
        tell(f"{len(result.pairs) - MOST_PAIRS} more pairs; --json lists them all")
    tell(f"recommended: {result.recommended}, {result.reason}")
    if result.learning_curve is not None:
        for line in curve_lines(result.learning_curve):
            tell(line)


def curve_lines(curve: "LearningCurve") -> list[str]:
    """The learning curve, line by line."""
    points = [
        f"  {point.images:>8.0f}  {point.accuracy.value:.3f}  "
        f"({point.accuracy.low:.3f} to {point.accuracy.high:.3f})"
        for point in curve.points
    ]
    name = "accuracy" if curve.points[0].measure == "accuracy" else "mean average precision"
    return [f"images learned from, and {name}, {curve.candidate.name}", *points, curve.sentence]


def _table(result: "Comparison", width: int) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    columns = _columns(result.words.key, wide=width >= WIDE)
    table.add_column("way to train", overflow="fold")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for row in result.rows:
        cells = _cells(row) if row.evaluation is not None else dict.fromkeys(columns, "-")
        name = terminal.escaped(row.candidate.name)
        style = "bold" if row.candidate.name == result.recommended else ""
        table.add_row(Text(name), *(Text(cells[column]) for column in columns), style=style)
    return table


def _columns(score: str, *, wide: bool) -> tuple[str, ...]:
    name = COLUMN_OF[score]
    if wide:
        return (name, "macro F1", "log loss", "ECE", "training", "a photo", "file")
    return (name, "log loss", "training", "a photo", "file")


def _cells(row: Any) -> dict[str, str]:
    from fieldguide.experiments.scoring import score_of, words_of

    measured = row.evaluation
    score, name = score_of(measured), COLUMN_OF[words_of(measured).key]
    return {
        name: f"{score.value:.3f} ({score.low:.3f}-{score.high:.3f})",
        "macro F1": f"{row.as_dict()['macro_f1']['value']:.3f}",
        "log loss": f"{measured.log_loss:.3f}",
        "ECE": f"{measured.ece:.3f}",
        "training": _duration(row.train_seconds),
        "a photo": f"{1000 * row.image_seconds:.0f} ms",
        "file": f"{row.megabytes:.0f} MB" if row.megabytes >= 10 else f"{row.megabytes:.1f} MB",
    }


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
