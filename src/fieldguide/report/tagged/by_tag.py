"""How well each tag is recognised."""

import numpy as np

from fieldguide.report.blocks import Cell, Column, Section, TableBlock
from fieldguide.report.tagged.material import TagReportData

COLUMNS = (
    Column("tag"),
    Column("photos", note="measured here, with the tag"),
    Column("given", note="photos that were given the tag"),
    Column("learned from", note="photos with the tag that the model was trained on"),
    Column("AP", ".2f", bar=True, note="average precision: how well photos with the tag are ranked first"),
    Column("AP, range", note="holds the true average precision with 95 % confidence"),
    Column("precision", ".2f", note="share of the photos given this tag that have it"),
    Column("recall", ".2f", note="share of the photos with this tag that were given it"),
    Column("F1", ".2f", bar=True, note="precision and recall in one: their harmonic mean"),
    Column("threshold", ".2f", note="from which probability on the tag is given"),
    Column("ECE", ".3f", note="expected calibration error: how far the tag's stated probabilities are off"),
)


def section(material: TagReportData) -> Section:
    """Average precision, precision, recall, F1 and calibration by tag, the weakest first."""
    lead = (
        "The weakest tag comes first; a click on a heading sorts by it. Average precision says how well the "
        "tag is ranked, whatever its threshold; precision and recall what its threshold makes of that. Mind "
        "the range where there are few photos."
    )
    return Section("classes", "Figures by tag", lead, [_table(material)])


def _table(material: TagReportData) -> TableBlock:
    values = material.evaluation.average_precision.values
    order = np.argsort(np.where(np.isnan(values), np.inf, values), kind="stable")
    rows = tuple(_row(material, number) for number in order.tolist())
    return TableBlock("tags", f"{len(rows):,} tags", COLUMNS, rows, shown=20)


def _row(material: TagReportData, number: int) -> tuple[Cell, ...]:
    measured, name = material.evaluation, material.classes[number]
    scores, ranked = measured.per_class, measured.average_precision.intervals[number]
    error = float(measured.ece_by_tag[number])
    counts: tuple[Cell, ...] = (
        name,
        int(scores.support[number]),
        int(material.outcomes.given[:, number].sum()),
        material.trained_on.get(name),
    )
    beside = (float(material.thresholds[number]), None if np.isnan(error) else error)
    if ranked is None:
        return (*counts, None, "no photos here", None, None, None, *beside)
    return (
        *counts,
        ranked.value,
        f"{ranked.low:.2f} to {ranked.high:.2f}",
        float(scores.precision[number]),
        float(scores.recall[number]),
        float(scores.f1[number]),
        *beside,
    )
