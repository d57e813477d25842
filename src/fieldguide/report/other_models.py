"""Other model files beside this one: which differences are real, and the photos they disagree about."""

from fieldguide.evaluation.model_comparison import Disagreement, ModelComparison
from fieldguide.metrics.paired_tests import Pair
from fieldguide.plain_text import escaped
from fieldguide.report.blocks import Block, Cell, Column, Gallery, Section, TableBlock, Text
from fieldguide.report.material import ReportData, percent, plural, span
from fieldguide.report.photos import SMALL, Wanted

SHOWN = 24
"""Photos that the models name differently."""


def section(material: ReportData) -> Section | None:
    """The comparison; None where no other model was named."""
    comparison = material.comparison
    if comparison is None:
        return None
    lead = (
        f"Measured on the same {plural(comparison.n, 'photo')}. Two models are right on mostly the same "
        "ones; what tells them apart are the photos that exactly one of them got right."
    )
    blocks: list[Block] = [Text(pair.sentence + ".") for pair in comparison.pairs[:3]]
    blocks += [_models(comparison), _pairs(comparison), *_disagreements(material, comparison)]
    return Section("other-models", "Comparison with other models", lead, blocks)


def _models(comparison: ModelComparison) -> TableBlock:
    columns = (
        Column("model"),
        Column("accuracy", ".3f", bar=True, note="on all photos whose label the model knows"),
        Column("accuracy, range", note="holds the true accuracy with 95 % confidence"),
        Column("in common", ".3f", note="accuracy on the photos that all models answered"),
        Column("log loss", ".3f", note="0 is perfect; punishes being sure and wrong"),
        Column("calibration error", ".3f", note="how far stated probabilities are off"),
        Column("taken as unknown", ".3f"),
    )
    rows: list[tuple[Cell, ...]] = []
    for model in comparison.models:
        found = model.evaluation
        rows.append(
            (
                model.name,
                found.accuracy.value,
                span(found.accuracy),
                model.accuracy_in_common,
                found.log_loss,
                found.ece,
                found.unknown_rate,
            )
        )
    return TableBlock("models", "The models", columns, tuple(rows))


def _pairs(comparison: ModelComparison) -> TableBlock:
    columns = (
        Column("better"),
        Column("than"),
        Column("points"),
        Column("range", note="holds the true difference with 95 % confidence"),
        Column("p", ".3g", note="McNemar's exact test, corrected for the number of pairs (Holm)"),
        Column("real", note="whether test and range both say so"),
    )
    return TableBlock("model-pairs", "Two at a time", columns, tuple(_row(pair) for pair in comparison.pairs))


def _row(pair: Pair) -> tuple[Cell, ...]:
    value = pair.difference.value
    points = (f"{100 * value.value:.1f}", f"{100 * value.low:.1f} to {100 * value.high:.1f}")
    return (pair.first, pair.second, *points, pair.p_corrected, "yes" if pair.real else "no")


def _disagreements(material: ReportData, comparison: ModelComparison) -> list[Block]:
    if not comparison.disagreements:
        return [Text("They give every photo the same name.")]
    surest = sorted(comparison.disagreements, key=lambda one: -max(sure for _, sure in one.answers))
    paths = {material.shown(row): path for row, path in enumerate(material.images.paths)}
    names = [model.name for model in comparison.models]
    wanted = [_photo(one, names, paths[one.path]) for one in surest[:SHOWN] if one.path in paths]
    summary = Text(
        f"They disagree about {plural(len(comparison.disagreements), 'photo')}; below are those that one of "
        "them was surest of, with the true class above the answers."
    )
    return [summary, Gallery(material.photos.shots(wanted, side=SMALL), small=True)]


def _photo(one: Disagreement, names: list[str], path: str) -> Wanted:
    answers = zip(names, one.answers, strict=True)
    lines = tuple(f"{escaped(name)}: {label} {percent(sure, 0)}" for name, (label, sure) in answers)
    return Wanted(path, one.answers[0][0], one.label, lines, one.path)
