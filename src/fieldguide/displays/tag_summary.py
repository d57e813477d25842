"""A measurement of tags as a page of text, from the contract's JSON."""

from collections.abc import Iterator
from typing import Any

MOST_ROWS = 8
"""Longest list shown of weak tags and of mixed-up pairs; the JSON has them all."""

NAMES = {
    "map": "mean average precision",
    "micro_f1": "micro F1",
    "micro_precision": "micro precision",
    "micro_recall": "micro recall",
    "macro_f1": "macro F1",
    "exact_match": "all tags right",
    "coverage": "sets hold of the truth",
}


def lines(answer: dict[str, Any]) -> Iterator[str]:
    """The page of one measurement (``evaluate --json`` of a model of tags), line by line."""
    for key in ("learned_from", "distribution_shift"):
        if (answer.get(key) or {}).get("message"):
            yield f"careful: {answer[key]['message']}"
    yield f"{answer['n']} photos measured; ranges hold the true value with 95 % confidence"
    for key in ("leaks", "learned_from"):
        part = answer.get(key) or {"n": 0}
        if part["n"]:
            yield f"  {part['message']}" if key == "leaks" else f"  {'  on new photos':<24}{_without(part)}"
            if key == "leaks":
                yield f"  {'  without leaks':<24}{_without(part)}"
    changed = answer.get("corrections")
    if changed:
        yield f"  {changed['message']}"
        yield f"  {'  not changed':<24}{_without(changed)}"
    for key, name in NAMES.items():
        if answer.get(key):
            yield f"  {name:<24}{said(answer[key])}"
    yield f"  {'tags given':<24}{answer['mean_labels']:.2f} a photo, in its set {answer['mean_set_size']:.2f}"
    yield f"  {'log loss':<24}{answer['log_loss']:.3f}"
    yield f"  {'calibration error':<24}{answer['ece']:.3f}, mean over tags"
    yield f"  {'taken as unknown':<24}{answer['unknown_rate']:.1%}"
    yield from _weakest(answer["per_class"])
    yield from _taken_for(answer["taken_for"])
    if "foreign" in answer:
        yield from _foreign(answer["foreign"])
    if "against" in answer:
        yield from _against(answer["against"])


def said(interval: dict[str, float]) -> str:
    """A figure with its range."""
    return f"{interval['value']:.3f}  ({interval['low']:.3f} to {interval['high']:.3f})"


def _photos(count: int) -> str:
    return "1 photo" if count == 1 else f"{count} photos"


def _without(part: dict[str, Any]) -> str:
    if part["map_without"] is None:
        return "nothing is left to measure on"
    return f"{said(part['map_without'])} mean average precision over {_photos(part['n_without'])}"


def _weakest(per_class: list[dict[str, Any]]) -> Iterator[str]:
    weak = sorted((row for row in per_class if row["n"] and row["f1"] < 1), key=lambda row: row["f1"])
    if weak:
        yield "weakest tags"
    for row in weak[:MOST_ROWS]:
        figures = f"F1 {row['f1']:.2f}, precision {row['precision']:.2f}, recall {row['recall']:.2f}"
        ranked = f"average precision {row['ap']['value']:.2f}"
        yield f"  {row['label']}: {figures}, {ranked} over {_photos(row['n'])}"


def _taken_for(pairs: list[dict[str, Any]]) -> Iterator[str]:
    if pairs:
        yield "missed while another tag was given wrongly"
    for pair in pairs[:MOST_ROWS]:
        yield f"  {pair['missed']} missed, {pair['given']} given: {pair['n']}"


def _foreign(foreign: dict[str, Any]) -> Iterator[str]:
    yield f"{foreign['n']} foreign photos, told apart by typicality"
    yield f"  {'AUROC':<24}{said(foreign['auroc'])}"
    yield f"  {'false alarms':<24}{said(foreign['false_alarm_rate'])} of the data's photos taken as unknown"
    yield f"  {'missed':<24}{said(foreign['miss_rate'])} of the foreign photos taken as known"


def _against(against: dict[str, Any]) -> Iterator[str]:
    models = against["models"]
    width = min(max(len(model["name"]) for model in models), 40)
    yield (
        f"models compared on the {against['n']} photos that all answered "
        f"({against['separate_images']} of them separate)"
    )
    for model in models:
        figures = f"micro F1 {model['micro_f1']['value']:.3f}, log loss {model['log_loss']:.3f}"
        yield f"  {model['name']:<{width}}  mean average precision {said(model['map'])}, {figures}"
    for pair in against["pairs"]:
        yield f"  {pair['sentence']}"
