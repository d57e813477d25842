"""Other model files of tags beside this one, and which differences are real."""

from fieldguide.evaluation.tag_comparison import TagComparison, TagPair
from fieldguide.report.blocks import Block, Cell, Column, Section, TableBlock, Text
from fieldguide.report.material import plural, span
from fieldguide.report.tagged.material import TagReportData


def section(material: TagReportData) -> Section | None:
    """The comparison; None where no other model was named."""
    comparison = material.comparison
    if comparison is None:
        return None
    lead = (
        f"Measured on the same {plural(comparison.n, 'photo')}, by mean average precision over the "
        f"{plural(len(comparison.tags), 'tag')} that all of them know."
    )
    blocks: list[Block] = [Text(pair.sentence + ".") for pair in comparison.pairs[:3]]
    return Section(
        "other-models",
        "Comparison with other models",
        lead,
        [*blocks, _models(comparison), _pairs(comparison)],
    )


def _models(comparison: TagComparison) -> TableBlock:
    columns = (
        Column("model"),
        Column("mean average precision", ".3f", bar=True, note="over all tags that the model knows"),
        Column("its range", note="holds the true value with 95 % confidence"),
        Column("micro F1", ".3f"),
        Column("all tags right", ".3f", note="share of photos without any tag wrong or missed"),
        Column("log loss", ".3f", note="0 is perfect; punishes being sure and wrong"),
        Column("calibration error", ".3f", note="how far stated probabilities are off, mean over tags"),
        Column("taken as unknown", ".3f"),
    )
    rows: list[tuple[Cell, ...]] = []
    for name, found in comparison.models:
        mean = found.average_precision.mean
        ranked: tuple[Cell, Cell] = (None, "") if mean is None else (mean.value, span(mean))
        exact, f1 = found.exact_match.value, found.averages.micro_f1.value
        rows.append((name, *ranked, f1, exact, found.log_loss, found.ece, found.unknown_rate))
    return TableBlock("models", "The models", columns, tuple(rows))


def _pairs(comparison: TagComparison) -> TableBlock:
    columns = (
        Column("better"),
        Column("than"),
        Column("points"),
        Column("range", note="holds the true difference with 95 % confidence"),
        Column("p", ".3g", note="of the paired test, corrected for the number of pairs (Holm)"),
        Column("real", note="whether test and range both say so"),
    )
    return TableBlock("model-pairs", "Two at a time", columns, tuple(_row(pair) for pair in comparison.pairs))


def _row(pair: TagPair) -> tuple[Cell, ...]:
    value = pair.difference
    points = (f"{100 * value.value:.1f}", f"{100 * value.low:.1f} to {100 * value.high:.1f}")
    return (pair.first, pair.second, *points, pair.p_corrected, "yes" if pair.real else "no")
