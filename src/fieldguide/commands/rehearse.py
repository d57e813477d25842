"""``fieldguide rehearse``: how a model would react to a class that it never saw."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide import terminal
from fieldguide.commands.options import STANDARD_OUTPUT, add_json, say_refused, whole_number, write_json

if TYPE_CHECKING:
    from fieldguide.rehearsal import Rehearsal

NAME = "rehearse"
HELP = "leave each class out once, and see whether its photos would be called unknown"

MOST_ROWS = 30
"""Classes shown on the terminal, those that are hardest to tell first; the JSON has them all."""
NOTABLE = 0.02
"""Difference of two mean AUROCs that is worth a sentence."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare DATA and how the models are made."""
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="class folders, split folders, a table or an archive"
    )
    parser.add_argument("--backbone", metavar="B", help="pretrained network (default: the preset's)")
    parser.add_argument(
        "--preset", default="balanced", metavar="P", help="fast, balanced or best (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=whole_number, default=0, metavar="N", help="same seed, same result (default: 0)"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Rehearse, show a line a class."""
    from fieldguide.dataset import open_dataset
    from fieldguide.files import cache_folder
    from fieldguide.recipes.common import Setting
    from fieldguide.rehearsal import rehearse

    with terminal.progress() as progress, open_dataset(options.data, progress=progress) as dataset:
        setting = Setting(
            backbone=options.backbone,
            preset=options.preset,
            seed=options.seed,
            cache=cache_folder() / "features",
            progress=progress,
        )
        result = rehearse(dataset, setting)
    for note in dataset.notes:
        terminal.say(f"note: {note}")
    answer = result.as_dict()
    answer["refused"] = [*(refusal.as_dict() for refusal in dataset.refused), *answer["refused"]]
    say_refused(answer["refused"], len(answer["refused"]), "--json lists")
    _show(result, to_errors=options.json == STANDARD_OUTPUT)
    write_json(answer, options.json)
    return 1 if answer["refused"] else 0


def _show(result: "Rehearsal", *, to_errors: bool) -> None:
    tell = terminal.say if to_errors else terminal.show
    for line in lines(result.as_dict()):
        tell(line)


def lines(answer: dict[str, Any]) -> Iterator[str]:
    """The rehearsal (``rehearse --json``) as text, line by line."""
    classes = answer["classes"]
    yield (
        f"{len(classes)} classes, each left out once; ranges hold the true value with 95 % confidence, "
        "the hardest to tell first"
    )
    for one in classes[:MOST_ROWS]:
        missed, auroc = one["miss_rate"], one["auroc"]
        taken = f", mostly taken for {one['taken_for'][0]['label']}" if one["taken_for"] else ""
        yield (
            f"  {one['label']}: AUROC {auroc['value']:.3f} ({auroc['low']:.3f} to {auroc['high']:.3f}), "
            f"{missed['value']:.0%} of {one['n']} missed ({missed['low']:.0%} to {missed['high']:.0%}){taken}"
        )
    if len(classes) > MOST_ROWS:
        yield f"  {len(classes) - MOST_ROWS} more; --json lists them all"
    for label, reason in answer["not_applicable"].items():
        yield f"  {label}: not applicable: {reason}"
    by_typicality, by_probability = answer["mean_auroc"], answer["mean_auroc_of_probability"]
    yield f"mean AUROC {by_typicality:.3f} by typicality, {by_probability:.3f} by the largest probability"
    yield (
        f"a photo of a class that the model never saw would be taken for a known one in "
        f"{answer['mean_miss_rate']:.0%} of cases (known: typicality of {answer['threshold']:g} or more)"
    )
    if by_probability > by_typicality + NOTABLE:
        yield (
            "classes of this kind are told better by a low probability than by typicality: have answers of a "
            "low probability looked at too"
        )
