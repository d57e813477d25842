"""Other model files beside this one: which differences are real, and the photos they disagree about."""

from fieldguide.page_blocks import Block, Cell, Column, Gallery, Section, Table, Text
from fieldguide.paired import Pair
from fieldguide.plain_text import escaped
from fieldguide.report.material import Material, percent, plural, span
from fieldguide.report.photos import SMALL, Wanted
from fieldguide.rivals import Disagreement, Rivalry

SHOWN = 24
"""Photos that the models name differently."""


def section(material: Material) -> Section | None:
    """The comparison; None where no other model was named."""
    rivalry = material.rivalry
    if rivalry is None:
        return None
    lead = (
        f"Measured on the same {plural(rivalry.n, 'photo')}. Two models are right on mostly the same ones; "
        "what tells them apart are the photos that exactly one of them got right."
    )
    blocks: list[Block] = [Text(pair.sentence + ".") for pair in rivalry.pairs[:3]]
    blocks += [_models(rivalry), _pairs(rivalry), *_disagreements(material, rivalry)]
    return Section("other-models", "Beside other models", lead, blocks)


def _models(rivalry: Rivalry) -> Table:
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
    for model in rivalry.models:
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
    return Table("models", "The models", columns, tuple(rows))


def _pairs(rivalry: Rivalry) -> Table:
    columns = (
        Column("better"),
        Column("than"),
        Column("points"),
        Column("range", note="holds the true difference with 95 % confidence"),
        Column("p", ".3g", note="McNemar's exact test, corrected for the number of pairs (Holm)"),
        Column("real", note="whether test and range both say so"),
    )
    return Table("model-pairs", "Two at a time", columns, tuple(_row(pair) for pair in rivalry.pairs))


def _row(pair: Pair) -> tuple[Cell, ...]:
    value = pair.difference.value
    points = (f"{100 * value.value:.1f}", f"{100 * value.low:.1f} to {100 * value.high:.1f}")
    return (pair.first, pair.second, *points, pair.p_corrected, "yes" if pair.real else "no")


def _disagreements(material: Material, rivalry: Rivalry) -> list[Block]:
    if not rivalry.disagreements:
        return [Text("They give every photo the same name.")]
    surest = sorted(rivalry.disagreements, key=lambda one: -max(sure for _, sure in one.answers))
    paths = {material.shown(row): path for row, path in enumerate(material.images.paths)}
    names = [model.name for model in rivalry.models]
    wanted = [_photo(one, names, paths[one.path]) for one in surest[:SHOWN] if one.path in paths]
    told = Text(
        f"They disagree about {plural(len(rivalry.disagreements), 'photo')}; below are those that one of "
        "them was surest of, with the true class above the answers."
    )
    return [told, Gallery(material.photos.shots(wanted, side=SMALL), small=True)]


def _photo(one: Disagreement, names: list[str], path: str) -> Wanted:
    answers = zip(names, one.answers, strict=True)
    lines = tuple(f"{escaped(name)}: {label} {percent(sure, 0)}" for name, (label, sure) in answers)
    return Wanted(path, one.answers[0][0], one.label, lines, one.path)
