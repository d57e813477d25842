"""ROC and precision-recall: how well each class is told from all others, whatever the threshold."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fieldguide import page_figures
from fieldguide.metrics import FloatArray
from fieldguide.page_blocks import Cell, Column, Numbers, Picture, Section, Table
from fieldguide.report.material import Material, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 40
"""Classes drawn as thin lines."""
GRID = np.linspace(0, 1, 201)


def section(material: Material) -> Section | None:
    """Both curves, and the areas under them by class."""
    curves = material.curves
    told = np.flatnonzero(np.isfinite(curves.auroc))
    if not len(told):
        return None
    lead = (
        "Each class against all others, over every threshold. The further a curve bends into its corner, the "
        "better the class is told apart; the broken line is the weakest class."
    )
    return Section(
        "separation",
        "Telling one class from the rest",
        lead,
        [_roc(material, told), _precision_recall(material, told), _table(material, told)],
    )


def _roc(material: Material, told: NDArray[np.int64]) -> Picture:
    curves = material.curves
    lines = {int(n): _highest(curves.false_positive_rate[n], curves.recall[n]) for n in told}
    weakest = int(told[np.argmin(curves.auroc[told])])
    mean = float(curves.auroc[told].mean())
    with page_figures.style():
        figure, axes = page_figures.axes()
        axes.plot([0, 1], [0, 1], color=page_figures.PALE, linewidth=1)
        areas = (mean, float(curves.auroc[weakest]))
        _draw(axes, lines, weakest, named(material.classes[weakest]), areas)
        axes.set(xlabel="false positive rate", ylabel="recall (true positive rate)", title="ROC")
        axes.legend(loc="lower right")
    alt = (
        f"ROC curves of {len(told)} classes: mean area {mean:.3f}; weakest "
        f"{material.classes[weakest]} with {curves.auroc[weakest]:.3f}."
    )
    caption = "Share of a class that is found, against the share of all others taken for it."
    plot = page_figures.Plot(figure)
    columns = ("false positive rate", "mean recall", "recall of the weakest class")
    return Picture("roc", alt, caption, plot, _numbers(columns, lines, weakest))


def _precision_recall(material: Material, told: NDArray[np.int64]) -> Picture:
    curves = material.curves
    lines = {int(n): _highest(curves.recall[n], curves.precision[n]) for n in told}
    weakest = int(told[np.argmin(curves.average_precision[told])])
    mean = float(curves.average_precision[told].mean())
    with page_figures.style():
        figure, axes = page_figures.axes()
        areas = (mean, float(curves.average_precision[weakest]))
        _draw(axes, lines, weakest, named(material.classes[weakest]), areas)
        axes.set(xlabel="recall", ylabel="precision", title="Precision and recall", ylim=(0, 1.03))
        axes.legend(loc="lower left")
    alt = (
        f"Precision-recall curves of {len(told)} classes: mean average precision {mean:.3f}; weakest "
        f"{material.classes[weakest]} with {curves.average_precision[weakest]:.3f}."
    )
    caption = "How far a name can be trusted, against how many of the class are found."
    plot = page_figures.Plot(figure)
    columns = ("recall", "mean precision", "precision of the weakest class")
    return Picture("precision-recall", alt, caption, plot, _numbers(columns, lines, weakest))


def _highest(across: FloatArray, up: FloatArray) -> FloatArray:
    """A curve over :data:`GRID`; where it is vertical, its upper end counts."""
    places, first = np.unique(across, return_index=True)
    return np.interp(GRID, places, np.maximum.reduceat(up, first))


def _draw(
    axes: "Axes", lines: dict[int, FloatArray], weakest: int, name: str, areas: tuple[float, float]
) -> None:
    for line in list(lines.values())[:MOST_LINES]:
        axes.plot(GRID, line, color=page_figures.PALE, linewidth=0.9)
    mean = np.mean(list(lines.values()), axis=0)
    axes.plot(GRID, mean, color=page_figures.BLUE, linewidth=2.2, label=f"mean, {areas[0]:.3f}")
    weak = f"{name}, {areas[1]:.3f}"
    axes.plot(GRID, lines[weakest], "--", color=page_figures.ORANGE, linewidth=1.8, label=weak)
    axes.set_xlim(-0.01, 1.01)


def _numbers(columns: tuple[str, str, str], lines: dict[int, FloatArray], weakest: int) -> Numbers:
    mean = np.mean(list(lines.values()), axis=0)
    table = np.stack([GRID, mean, lines[weakest]], axis=1)
    return Numbers(columns, tuple(tuple(row) for row in table.tolist()))


def _table(material: Material, told: NDArray[np.int64]) -> Table:
    curves = material.curves
    rows: list[tuple[Cell, ...]] = [
        (material.classes[n], float(curves.auroc[n]), float(curves.average_precision[n]))
        for n in told[np.argsort(curves.average_precision[told], kind="stable")]
    ]
    columns = (
        Column("class"),
        Column("area under ROC", ".3f", bar=True, note="1 is perfect, 0.5 is chance"),
        Column("average precision", ".3f", bar=True, note="area under the precision-recall curve"),
    )
    return Table("separation", "Areas by class, the weakest first", columns, tuple(rows), shown=8)
