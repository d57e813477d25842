"""A measurement as a page of text, from the contract's JSON."""

from collections.abc import Iterator
from typing import Any

from fieldguide.displays import tag_summary
from fieldguide.tasks.task import Task

MOST_ROWS = 8
"""Longest list shown of weak classes and of mixed-up pairs; the JSON has them all."""

NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "macro_precision": "macro precision",
    "macro_recall": "macro recall",
    "top5": "top-5 accuracy",
}


def lines(answer: dict[str, Any]) -> Iterator[str]:
    """The page of one measurement (``evaluate --json``), line by line."""
    if answer.get("task") == Task.MULTIPLE:
        yield from tag_summary.lines(answer)
        return
    learned = answer.get("learned_from") or {"n": 0}
    if learned["n"]:
        yield f"careful: {learned['message']}"
    shift = answer.get("distribution_shift")
    if shift:
        yield f"careful: {shift['message']}"
    yield f"{answer['n']} images measured; ranges hold the true value with 95 % confidence"
    leaks = answer.get("leaks") or {"n": 0}
    if leaks["n"]:
        yield f"  {leaks['message']}"
    changed = answer.get("corrections")
    if changed:
        yield f"  {changed['message']}"
    for key, name in NAMES.items():
        if answer.get(key):
            yield f"  {name:<20}{_range(answer[key])}"
        if key == "accuracy" and leaks["n"]:
            yield f"  {'  without leaks':<20}{_without(leaks)}"
        if key == "accuracy" and learned["n"]:
            yield f"  {'  on new photos':<20}{_without(learned)}"
        if key == "accuracy" and changed:
            yield f"  {'  not relabelled':<20}{_without(changed)}"
    yield f"  {'log loss':<20}{answer['log_loss']:.3f}"
    yield f"  {'calibration error':<20}{answer['ece']:.3f}"
    sets = f"hold the truth in {answer['coverage']:.1%}, {answer['mean_set_size']:.2f} labels each"
    yield f"  {'prediction sets':<20}{sets}"
    yield f"  {'taken as unknown':<20}{answer['unknown_rate']:.1%}"
    yield from _weakest(answer["per_class"])
    yield from _confused(answer["confusion"])
    if "foreign" in answer:
        yield from _foreign(answer["foreign"])
    if "against" in answer:
        yield from _against(answer["against"])


def _without(leaks: dict[str, Any]) -> str:
    if leaks["accuracy_without"] is None:
        return "nothing is left to measure on"
    return f"{_range(leaks['accuracy_without'])} over {leaks['n_without']} images"


def _range(interval: dict[str, float]) -> str:
    return f"{interval['value']:.3f}  ({interval['low']:.3f} to {interval['high']:.3f})"


def _weakest(per_class: list[dict[str, Any]]) -> Iterator[str]:
    weak = sorted((row for row in per_class if row["n"] and row["f1"] < 1), key=lambda row: row["f1"])
    if weak:
        yield "weakest classes"
    for row in weak[:MOST_ROWS]:
        figures = f"F1 {row['f1']:.2f}, precision {row['precision']:.2f}, recall {row['recall']:.2f}"
        yield f"  {row['label']}: {figures} over {row['n']} images"


def _confused(confusion: dict[str, Any]) -> Iterator[str]:
    labels = confusion["labels"]
    pairs = [
        (images, labels[row], labels[column])
        for row, counts in enumerate(confusion["matrix"])
        for column, images in enumerate(counts)
        if images and row != column
    ]
    pairs.sort(key=lambda pair: -pair[0])
    if pairs:
        yield "most often mixed up"
    for images, truth, predicted in pairs[:MOST_ROWS]:
        yield f"  {truth} taken for {predicted}: {images}"


def _foreign(foreign: dict[str, Any]) -> Iterator[str]:
    yield f"{foreign['n']} foreign images, told apart by typicality"
    yield f"  {'AUROC':<20}{_range(foreign['auroc'])}"
    beside = _range(foreign["auroc_of_probability"])
    yield f"  {'by probability':<20}{beside} AUROC if the largest probability were the rule instead"
    yield f"  {'false alarms':<20}{_range(foreign['false_alarm_rate'])} of the data's images taken as unknown"
    yield f"  {'missed':<20}{_range(foreign['miss_rate'])} of the foreign images taken as known"


def _against(against: dict[str, Any]) -> Iterator[str]:
    models = against["models"]
    width = min(max(len(model["name"]) for model in models), 40)
    separate = f"{against['separate_images']} of them separate"
    yield f"models compared on the {against['n']} images that all answered ({separate})"
    for model in models:
        figures = f"log loss {model['log_loss']:.3f}, calibration error {model['ece']:.3f}"
        yield f"  {model['name']:<{width}}  accuracy {_range(model['accuracy'])}, {figures}"
    for pair in against["pairs"]:
        yield f"  {pair['sentence']}"
    differing = against["disagreements"]
    yield f"answered differently: {len(differing)}" + (", the first:" if len(differing) > MOST_ROWS else "")
    for one in differing[:MOST_ROWS]:
        said = ", ".join(f"{answer['label']} {answer['probability']:.2f}" for answer in one["answers"])
        yield f"  {one['path']} ({one['label']}): {said}"
