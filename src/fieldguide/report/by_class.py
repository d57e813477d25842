"""How well each class is recognised."""

from fieldguide.metrics.intervals import share
from fieldguide.report.blocks import Cell, Column, Section, TableBlock
from fieldguide.report.material import ReportData

COLUMNS = (
    Column("class"),
    Column("photos", note="measured here"),
    Column("learned from", note="photos of the class that the model was trained on"),
    Column("recall", ".2f", bar=True, note="share of the class's photos that were recognised"),
    Column("recall, range", note="holds the true recall with 95 % confidence"),
    Column("precision", ".2f", bar=True, note="share of the photos given this name that are of the class"),
    Column("F1", ".2f", bar=True, note="precision and recall in one: their harmonic mean"),
    Column("most often taken for"),
)


def section(material: ReportData) -> Section:
    """Precision, recall and F1 by class, the weakest first."""
    lead = (
        "The weakest class comes first; a click on a heading sorts by it. Recall says how many of a class "
        "are found, precision how far its name can be trusted. Mind the range where there are few photos."
    )
    return Section("classes", "Precision, recall and F1 by class", lead, [_table(material)])


def _table(material: ReportData) -> TableBlock:
    scores = material.evaluation.per_class
    order = sorted(
        range(len(material.classes)), key=lambda number: (scores.support[number] == 0, scores.f1[number])
    )
    rows = tuple(_row(material, number) for number in order)
    return TableBlock("classes", f"{len(rows):,} classes", COLUMNS, rows, shown=20)


def _row(material: ReportData, number: int) -> tuple[Cell, ...]:
    scores, name = material.evaluation.per_class, material.classes[number]
    n = int(scores.support[number])
    learned: Cell = material.trained_on.get(name)
    if not n:
        return (name, 0, learned, None, "no photos here", None, None, "")
    found = share(int(material.evaluation.confusion[number, number]), n)
    return (
        name,
        n,
        learned,
        float(scores.recall[number]),
        f"{found.low:.2f} to {found.high:.2f}",
        float(scores.precision[number]),
        float(scores.f1[number]),
        _most_taken_for(material, number),
    )


def _most_taken_for(material: ReportData, number: int) -> str:
    wrong = material.evaluation.confusion[number].copy()
    wrong[number] = 0
    answer = int(wrong.argmax())
    return f"{material.classes[answer]} ({wrong[answer]})" if wrong[answer] else ""
