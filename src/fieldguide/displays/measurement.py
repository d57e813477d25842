"""What measurements of single labels and of tags show alike: figures, warnings, foreign photos."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fieldguide.data.scan import count_of
from fieldguide.displays import html as page
from fieldguide.evaluation.result import Evaluation
from fieldguide.evaluation.tag_result import TagEvaluation

MOST_WEAK = 8
"""Weak classes or tags shown; the table of all has the rest."""
FOREIGN = {
    "auroc": "AUROC of typicality",
    "auroc_of_probability": "AUROC of the largest probability",
    "false_alarm_rate": "of these photos taken as unknown",
    "miss_rate": "of the foreign ones taken as known",
}


def span(interval: Mapping[str, float]) -> str:
    """The range of a figure, as JSON holds it."""
    return f"{interval['low']:.3f} to {interval['high']:.3f}"


def figures(
    answer: Mapping[str, Any], names: Mapping[str, str], beside: Iterable[tuple[str, float, str]]
) -> page.Html:
    """A table of figures, those with ranges first.

    Parameters
    ----------
    answer
        The measurement as JSON.
    names
        Keys of figures with ranges, and what they are called.
    beside
        Name, value and remark of figures without.
    """
    found: list[tuple[object, ...]] = [
        (name, f"{answer[key]['value']:.3f}", span(answer[key]), page.bar(answer[key]["value"]))
        for key, name in names.items()
        if answer.get(key)
    ]
    found += [(name, f"{value:.3f}", remark, "") for name, value, remark in beside]
    return page.table(("", "value", "95 % range", ""), found)


def weakest(rows: Sequence[Mapping[str, Any]], heading: str, counted: str) -> list[page.Html]:
    """The classes or tags with the lowest F1; nothing where all are perfect.

    Parameters
    ----------
    rows
        A row a class or tag, as JSON holds it under ``per_class``.
    heading, counted
        What they and their photos are called.
    """
    found = sorted((row for row in rows if row["n"] and row["f1"] < 1), key=lambda row: row["f1"])
    if not found:
        return []
    cells = [
        (row["label"], row["n"], f"{row['f1']:.2f}", f"{row['precision']:.2f}", f"{row['recall']:.2f}")
        for row in found
    ]
    return [page.table((heading, counted, "F1", "precision", "recall"), cells, MOST_WEAK)]


def warnings(
    measured: Evaluation | TagEvaluation, sentences: Iterable[str], counted: str, kind: str
) -> list[page.Html]:
    """What must not be overlooked.

    Parameters
    ----------
    measured
        The measurement; its doubts, if it has any, come last.
    sentences
        What is said of photos that training has seen.
    counted, kind
        What a photo is called, and what classes or tags are.
    """
    said = list(sentences)
    if measured.shift is not None:
        said.append(measured.shift.summary)
    if measured.refused:
        said.append(f"{count_of(len(measured.refused), counted)} could not be read")
    if measured.strangers:
        names = ", ".join(label for label, _ in measured.strangers[:5])
        said.append(f"not measured, since they are no {kind} of the model: {names}")
    said += [one.message for one in getattr(measured, "doubts", ())]
    return [page.paragraph(sentence, "warn") for sentence in said]


def foreign(measured: Evaluation | TagEvaluation) -> list[page.Html]:
    """Photos of other things, and whether they were told apart; nothing where there were none."""
    if measured.foreign is None:
        return []
    answer = measured.foreign.as_dict()
    found = [(name, f"{answer[key]['value']:.3f}", span(answer[key])) for key, name in FOREIGN.items()]
    return [page.table((f"{answer['n']:,} foreign photos", "value", "95 % range"), found)]


def compared(against: Mapping[str, Any], figure: str, name: str) -> list[page.Html]:
    """Other models on the same photos, and which differences are real.

    Parameters
    ----------
    against
        As JSON holds it.
    figure, name
        Key of what models are ranked by, and what it is called.
    """
    found = [
        (
            model["name"],
            f"{model[figure]['value']:.3f}",
            span(model[figure]),
            f"{model['log_loss']:.3f}",
        )
        for model in against["models"]
        if model[figure] is not None
    ]
    table = page.table(("models compared", name, "95 % range", "log loss"), found, len(found))
    return [table, *(page.paragraph(pair["sentence"], "dim") for pair in against["pairs"][:MOST_WEAK])]
