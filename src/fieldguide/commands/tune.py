"""``fieldguide tune``: search a recipe's settings, and train the best."""

import argparse
from typing import TYPE_CHECKING

from fieldguide.commands import terminal
from fieldguide.commands.shared.doubts import add_yes, begin
from fieldguide.commands.shared.options import (
    STANDARD_OUTPUT,
    add_cluster,
    add_data,
    add_json,
    count,
    opened,
    positive_number,
    say_refused,
    whole_number,
    write_json,
)
from fieldguide.commands.shared.output_paths import new_model, new_png
from fieldguide.tasks.task import EITHER

if TYPE_CHECKING:
    from fieldguide.experiments.scoring import AnyEvaluation
    from fieldguide.experiments.tune import Choice, TuneResult

NAME = "tune"
HELP = "search the settings of a recipe, and write the best as a model file"

INTERRUPTED = 130
MOST_TRIALS = 10
"""Trials shown on the terminal, the best first; the JSON has them all."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare DATA, ``--out``, the recipe and the budget."""
    add_data(parser)
    parser.add_argument(
        "--out", type=new_model, required=True, metavar="MODEL.onnx", help="the model file to write"
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
        "--resume", action="store_true", help="continue the search of these images that was stopped"
    )
    parser.add_argument(
        "--restart",
        action="store_true",
        help="with --resume: if data, settings or code differ, start a new search and keep the old one",
    )
    parser.add_argument(
        "--plot", type=new_png, metavar="FILE.png", help="also draw the trials and what decided"
    )
    parser.add_argument(
        "--at-once",
        type=count,
        metavar="N",
        help="settings suggested before any of them is tried (default: 5 with --cluster, else 1)",
    )
    add_yes(parser)
    add_cluster(parser, "compute features and try settings")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Search, write the model file, and tell what was found and what to expect of it."""
    from fieldguide.api.training import tune
    from fieldguide.cluster.features import features_on_cluster

    with (
        features_on_cluster(options.cluster),
        terminal.progress() as progress,
        opened(options, progress, tasks=EITHER) as dataset,
    ):
        begin(dataset, yes=options.yes)
        names = ("out", "recipe", "backbone", "trials", "minutes", "objective", "folds", "seed")
        given = {name: getattr(options, name) for name in (*names, "resume", "restart", "plot", "at_once")}
        result = tune(dataset, **given, progress=progress)
    return _report(result, options)


def _report(result: "TuneResult", options: argparse.Namespace) -> int:
    answer = result.as_dict()
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
        terminal.say("interrupted; the best so far was trained, and --resume continues the search")
        return INTERRUPTED
    return 1 if refused else 0


def _show_trials(result: "TuneResult") -> None:
    from fieldguide.experiments.search_space import value_text

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
    rows = [["trial", *names, measure, result.words.name]]
    for trial in finished[:MOST_TRIALS]:
        values = [value_text(trial.values.get(name, "-")) for name in names]
        rows.append([str(trial.number), *values, f"{trial.objective:.4f}", f"{trial.accuracy:.3f}"])
    terminal.show_table(rows)


def _lines(result: "TuneResult") -> list[str]:
    states = [trial.state for trial in result.trials]
    lines = [
        *_gone_on(result),
        (
            f"{states.count('complete')} trials finished, {states.count('pruned')} given up early, "
            f"{states.count('failed')} failed"
        ),
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
        return [f"continued a search of {result.found} trials"]
    return [
        (
            "there was no search to continue, so a new one was started: no earlier one was of the same "
            "images, recipe, settings and version of fieldguide"
        )
    ]


def _chosen(choice: "Choice") -> list[str]:
    from fieldguide.experiments.scoring import words_of

    name = words_of(choice.default).name
    expected, as_it_comes = choice.expected, f"  as it comes          {_figures(choice.default)}"
    if not choice.values:
        return [f"chosen: {choice.winner.name}; nothing tried was better by more than luck", as_it_comes]
    return [
        f"chosen: {choice.winner.name}",
        as_it_comes,
        f"  chosen               {_figures(choice.best)}, too good by the luck of having been chosen",
        (
            f"  expect on new ones   {name} {expected.accuracy.value:.3f} ({expected.accuracy.low:.3f} to "
            f"{expected.accuracy.high:.3f}), log loss {expected.log_loss.value:.3f}"
        ),
    ]


def _figures(evaluation: "AnyEvaluation") -> str:
    from fieldguide.experiments.scoring import score_of, words_of

    return f"{words_of(evaluation).name} {score_of(evaluation).value:.3f}, log loss {evaluation.log_loss:.3f}"
