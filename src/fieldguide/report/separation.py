"""ROC and precision-recall: how well each class is told from all others, whatever the threshold."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics.classification import FloatArray
from fieldguide.metrics.ranking_curves import Curves
from fieldguide.report import figures
from fieldguide.report.blocks import Cell, Column, Numbers, Picture, Section, TableBlock
from fieldguide.report.material import ReportData, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 40
"""Classes drawn as thin lines."""
GRID = np.linspace(0, 1, 201)


@dataclass(frozen=True)
class Ranked:
    """Curves of classes or of tags."""

    curves: Curves
    names: tuple[str, ...]
    one: str
    """What each is called: a class or a tag."""
    many: str


def section(material: ReportData) -> Section | None:
    """Both curves, and the areas under them by class."""
    lead = (
        "Each class against all others, over every threshold. The further a curve bends into its corner, the "
        "better the class is told apart; the broken line is the weakest class."
    )
    return ranking_of(Ranked(material.curves, material.classes, "class", "classes"), lead)


def ranking_of(ranked: Ranked, lead: str) -> Section | None:
    """Both curves with the areas under them; None where nothing occurs on both sides."""
    summary = ranked.curves.told
    if not len(summary):
        return None
    return Section(
        "separation",
        "ROC and precision-recall",
        lead,
        [_roc(ranked, summary), _precision_recall(ranked, summary), _table(ranked, summary)],
    )


def _roc(ranked: Ranked, summary: NDArray[np.int64]) -> Picture:
    curves = ranked.curves
    lines = dict(zip(summary.tolist(), curves.recall_at(GRID), strict=True))
    weakest = int(summary[np.argmin(curves.auroc[summary])])
    mean = float(curves.auroc[summary].mean())
    with figures.style():
        figure, axes = figures.axes()
        axes.plot([0, 1], [0, 1], color=figures.PALE, linewidth=1)
        areas = (mean, float(curves.auroc[weakest]))
        _draw(axes, lines, weakest, named(ranked.names[weakest]), areas)
        axes.set(xlabel="false positive rate", ylabel="recall (true positive rate)", title="ROC")
        axes.legend(loc="lower right")
    alt = (
        f"ROC curves of {len(summary)} {ranked.many}: mean area {mean:.3f}; weakest "
        f"{ranked.names[weakest]} with {curves.auroc[weakest]:.3f}."
    )
    caption = f"Share of a {ranked.one}'s photos that are found, against the share of others taken for it."
    plot = figures.Plot(figure)
    columns = ("false positive rate", "mean recall", f"recall of the weakest {ranked.one}")
    return Picture("roc", alt, caption, plot, _numbers(columns, lines, weakest))


def _precision_recall(ranked: Ranked, summary: NDArray[np.int64]) -> Picture:
    curves = ranked.curves
    lines = dict(zip(summary.tolist(), curves.precision_at(GRID), strict=True))
    weakest = int(summary[np.argmin(curves.average_precision[summary])])
    mean = float(curves.average_precision[summary].mean())
    with figures.style():
        figure, axes = figures.axes()
        areas = (mean, float(curves.average_precision[weakest]))
        _draw(axes, lines, weakest, named(ranked.names[weakest]), areas)
        axes.set(xlabel="recall", ylabel="precision", title="Precision and recall", ylim=(0, 1.03))
        axes.legend(loc="lower left")
    alt = (
        f"Precision-recall curves of {len(summary)} {ranked.many}: mean average precision {mean:.3f}; "
        f"weakest {ranked.names[weakest]} with {curves.average_precision[weakest]:.3f}."
    )
    caption = f"How far a name can be trusted, against how many of the {ranked.one} are found."
    plot = figures.Plot(figure)
    columns = ("recall", "mean precision", f"precision of the weakest {ranked.one}")
    return Picture("precision-recall", alt, caption, plot, _numbers(columns, lines, weakest))


def _draw(
    axes: "Axes", lines: dict[int, FloatArray], weakest: int, name: str, areas: tuple[float, float]
) -> None:
    for line in list(lines.values())[:MOST_LINES]:
        axes.plot(GRID, line, color=figures.PALE, linewidth=0.9)
    mean = np.mean(list(lines.values()), axis=0)
    axes.plot(GRID, mean, color=figures.BLUE, linewidth=2.2, label=f"mean, {areas[0]:.3f}")
    weak = f"{name}, {areas[1]:.3f}"
    axes.plot(GRID, lines[weakest], "--", color=figures.ORANGE, linewidth=1.8, label=weak)
    axes.set_xlim(-0.01, 1.01)


def _numbers(columns: tuple[str, str, str], lines: dict[int, FloatArray], weakest: int) -> Numbers:
    mean = np.mean(list(lines.values()), axis=0)
    table = np.stack([GRID, mean, lines[weakest]], axis=1)
    return Numbers(columns, tuple(tuple(row) for row in table.tolist()))


def _table(ranked: Ranked, summary: NDArray[np.int64]) -> TableBlock:
    curves = ranked.curves
    rows: list[tuple[Cell, ...]] = [
        (ranked.names[n], float(curves.auroc[n]), float(curves.average_precision[n]))
        for n in summary[np.argsort(curves.average_precision[summary], kind="stable")]
    ]
    columns = (
        Column(ranked.one),
        Column("area under ROC", ".3f", bar=True, note="1 is perfect, 0.5 is chance"),
        Column("average precision", ".3f", bar=True, note="area under the precision-recall curve"),
    )
    return TableBlock(
        "separation", f"Areas by {ranked.one}, the weakest first", columns, tuple(rows), shown=8
    )
