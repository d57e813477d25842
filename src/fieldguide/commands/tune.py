"""``fieldguide tune``: search a recipe's settings, and train the best."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide import terminal
from fieldguide.commands.options import (
    STANDARD_OUTPUT,
    add_json,
    count,
    new_file,
    positive_number,
    say_refused,
    whole_number,
    write_json,
)

if TYPE_CHECKING:
    from fieldguide.evaluation import Evaluation
    from fieldguide.tune import Choice, TuneResult

NAME = "tune"
HELP = "search the settings of a recipe, and write the best as a model file"

INTERRUPTED = 130
MOST_TRIALS = 10
"""Trials shown on the terminal, the best first; the JSON has them all."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare DATA, ``--out``, the recipe and the budget."""
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="class folders, split folders, a table or an archive"
    )
    parser.add_argument(
        "--out", type=new_file, required=True, metavar="MODEL.onnx", help="the model file to write"
    )
    parser.add_argument(
        "--recipe", default="linear-probe", metavar="R", help="way to train (default: %(default)s)"
    )
    parser.add_argument("--backbone", metavar="B", help="keep to this network (default: searched too)")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--trials", type=count, metavar="N", help="settings to try in all")
    budget.add_argument("--minutes", type=positive_number, metavar="M", help="time for trying")
    parser.add_argument(
        "--objective",
        choices=("log_loss", "accuracy"),
        default="log_loss",
        help="what to search for (default: %(default)s)",
    )
    parser.add_argument(
        "--folds", type=count, default=5, metavar="K", help="parts held out in turn (default: 5)"
    )
    parser.add_argument(
        "--seed", type=whole_number, default=0, metavar="N", help="same seed, same search (default: 0)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the search of these images that was stopped"
    )
    parser.add_argument(
        "--plot", type=new_file, metavar="FILE.png", help="also draw the trials and what decided"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Search, write the model file, and tell what was found and what to expect of it."""
    from fieldguide.dataset import open_dataset
    from fieldguide.files import cache_folder
    from fieldguide.recipes.common import Setting
    from fieldguide.study import Budget
    from fieldguide.tune import TuneOptions, tune

    with terminal.progress() as progress, open_dataset(options.data, progress=progress) as dataset:
        wanted = TuneOptions(
            data=options.data,
            out=options.out,
            recipe=options.recipe,
            setting=Setting(backbone=options.backbone, seed=options.seed, progress=progress),
            budget=Budget(options.trials, options.minutes),
            objective=options.objective,
            folds=options.folds,
            cache=cache_folder(),
            resume=options.resume,
        )
        result = tune(dataset, wanted)
    if options.plot is not None:
        from fieldguide.tune_picture import draw

        draw(result, options.plot)
    return _report(result, options)


def _report(result: "TuneResult", options: argparse.Namespace) -> int:
    answer = result.as_dict()
    for note in result.trained.notes:
        terminal.say(f"note: {note}")
    refused = answer["train"]["refused"]
    say_refused(refused, len(refused), "--json lists")
    to_errors = options.json == STANDARD_OUTPUT
    tell = terminal.say if to_errors else terminal.show
    if not to_errors:
        _show_trials(result)
    for line in _lines(result):
        tell(line)
    write_json(answer, options.json)
    if result.interrupted:
        terminal.say("interrupted; the best so far was trained, and --resume goes on with the search")
        return INTERRUPTED
    return 1 if refused else 0


def _show_trials(result: "TuneResult") -> None:
    from fieldguide.search_space import told_value

    names = list(dict.fromkeys(name for trial in result.trials for name in trial.values))
    finished = sorted(
        (trial for trial in result.trials if trial.state == "complete"),
        key=lambda trial: trial.objective if trial.objective is not None else float("inf"),
    )
    if not finished:
        return
    measure = (
        result.options.objective.replace("_", " ") if result.options.objective == "log_loss" else "errors"
    )
    rows = [["trial", *names, measure, "accuracy"]]
    for trial in finished[:MOST_TRIALS]:
        values = [told_value(trial.values.get(name, "-")) for name in names]
        rows.append([str(trial.number), *values, f"{trial.objective:.4f}", f"{trial.accuracy:.3f}"])
    terminal.show_table(rows)


def _lines(result: "TuneResult") -> list[str]:
    states = [trial.state for trial in result.trials]
    lines = [
        *_gone_on(result),
        f"{states.count('complete')} trials finished, {states.count('pruned')} given up early, "
        f"{states.count('failed')} failed",
        *_chosen(result.choice),
    ]
    if result.importances:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in result.importances.items())
        lines.append(f"what decided: {shares}")
    failed = [trial for trial in result.trials if trial.error and trial.state == "failed"]
    lines += [f"trial {trial.number} failed: {trial.error}" for trial in failed[:3]]
    return [*lines, f"{result.options.out}: written in {result.seconds:.0f} s"]


def _gone_on(result: "TuneResult") -> list[str]:
    if not result.options.resume:
        return []
    if result.found:
        return [f"went on with a search of {result.found} trials"]
    return [
        "there was nothing to go on with, the search began anew: no earlier one was of the same images, "
        "recipe, settings and version of fieldguide"
    ]


def _chosen(choice: "Choice") -> list[str]:
    expected, as_it_comes = choice.expected, f"  as it comes          {_figures(choice.default)}"
    if not choice.values:
        return [f"chosen: {choice.winner.name}; what was tried is not better, or only by luck", as_it_comes]
    return [
        f"chosen: {choice.winner.name}",
        as_it_comes,
        f"  chosen               {_figures(choice.best)}, too good by the luck of having been chosen",
        f"  expect on new ones   accuracy {expected.accuracy.value:.3f} ({expected.accuracy.low:.3f} to "
        f"{expected.accuracy.high:.3f}), log loss {expected.log_loss.value:.3f}",
    ]


def _figures(evaluation: "Evaluation") -> str:
    return f"accuracy {evaluation.accuracy.value:.3f}, log loss {evaluation.log_loss:.3f}"
