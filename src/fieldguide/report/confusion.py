"""Which classes are taken for which."""

from typing import TYPE_CHECKING

import numpy as np

from fieldguide import page_figures
from fieldguide.metrics import FloatArray, IntArray, ratio
from fieldguide.page_blocks import Block, Cell, Column, Numbers, Picture, Section, Table, Text
from fieldguide.report.material import Material, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_DRAWN = 30
"""Classes in the picture; of more, those with the most mistakes."""
MOST_PAIRS = 300
MOST_CELLS = 5_000
"""Cells of the matrix that its CSV holds, the fullest first; 5,000 are about 100 KB."""


def section(material: Material) -> Section:
    """The matrix, classes that are mixed up side by side, and the pairs with the most mistakes."""
    pairs = material.evaluation.confused()
    blocks: list[Block] = [_picture(material)]
    if pairs:
        blocks.append(_pairs(material, pairs))
    else:
        blocks.append(Text("No class was taken for another."))
    lead = (
        "Each row is a true class and says what its photos were taken for. Mistakes lie off the diagonal; "
        "classes that are mixed up with each other stand side by side."
    )
    return Section("confusion", "What is mixed up", lead, blocks)


def clustered(confusion: IntArray) -> IntArray:
    """Order classes so that those that are mixed up stand side by side.

    Average-linkage clustering with optimal leaf order (Bar-Joseph, Gifford and Jaakkola 2001); the distance
    of two classes is 1 less the larger share of one that is taken for the other.

    Parameters
    ----------
    confusion
        Of shape (n_classes, n_classes), rows true.

    Returns
    -------
    ndarray of shape (n_classes,)
        Class numbers in their new order.
    """
    if len(confusion) < 3:
        return np.arange(len(confusion))
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    shares = _shares(confusion)
    distance = 1 - np.maximum(shares, shares.T)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), method="average", optimal_ordering=True)
    return np.asarray(leaves_list(tree), dtype=np.int64)


def _picture(material: Material) -> Picture:
    whole, classes = material.evaluation.confusion, material.classes
    chosen = _chosen(whole)
    part = whole[np.ix_(chosen, chosen)]
    order = clustered(part)
    names = [named(classes[number]) for number in chosen[order]]
    size = min(4.2 + 0.32 * len(names), 11.5)
    with page_figures.style():
        figure, axes = page_figures.axes(size + 1.2, size)
        _draw(axes, part[np.ix_(order, order)], names)
    caption = "Numbers are photos; the darker a field, the larger its share of the row."
    if len(chosen) < len(classes):
        outside = int(whole.sum() - np.trace(whole)) - int(part.sum() - np.trace(part))
        caption += (
            f" Shown are the {len(chosen)} of {len(classes):,} classes with the most mistakes; "
            f"{outside:,} mistakes "
            "involve others, and the CSV has them."
        )
    return Picture(
        "confusion-matrix",
        _alt(material),
        caption,
        page_figures.Plot(figure),
        Numbers(("true class", "taken for", "photos"), _cells(whole, classes)),
        wide=True,
    )


def _draw(axes: "Axes", counts: IntArray, names: list[str]) -> None:
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    shares = _shares(counts)
    shading = LinearSegmentedColormap.from_list("ink", ["#ffffff", "#8ec3e0", page_figures.BLUE, "#06304d"])
    axes.imshow(shares, cmap=shading, norm=PowerNorm(0.5, 0, 1))
    places = range(len(names))
    axes.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, names)
    axes.set_xlabel("taken for")
    axes.set_ylabel("true class")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#e7eaee", linewidth=1)
    axes.tick_params(which="minor", length=0)
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, column] > 0.3 else page_figures.INK
        count = int(counts[row, column])
        text = f"{count:,}" if count < 10_000 else f"{count / 1000:.0f}k"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)


def _chosen(confusion: IntArray) -> IntArray:
    """Classes to draw: those that occur, or of too many those with the most mistakes."""
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    mistakes = wrong.sum(axis=0) + wrong.sum(axis=1)
    return np.sort(np.argsort(-mistakes, kind="stable")[:MOST_DRAWN])


def _shares(confusion: IntArray) -> FloatArray:
    return ratio(
        confusion.astype(np.float64), np.repeat(confusion.sum(axis=1, keepdims=True), len(confusion), 1)
    )


def _pairs(material: Material, pairs: list[tuple[str, str, int]]) -> Table:
    support = dict(zip(material.classes, material.evaluation.per_class.support.tolist(), strict=True))
    rows: list[tuple[Cell, ...]] = [
        (truth, answer, images, images / support[truth]) for truth, answer, images in pairs[:MOST_PAIRS]
    ]
    more = f", the first {MOST_PAIRS} of {len(pairs):,}" if len(pairs) > MOST_PAIRS else ""
    columns = (
        Column("true class"),
        Column("taken for"),
        Column("photos"),
        Column("of the class", ".1%", bar=True, note="share of the true class's photos"),
    )
    return Table("confused-pairs", f"Most often mixed up{more}", columns, tuple(rows), shown=10)


def _cells(confusion: IntArray, classes: tuple[str, ...]) -> tuple[tuple[Cell, ...], ...]:
    rows, columns = np.nonzero(confusion)
    fullest = np.argsort(-confusion[rows, columns], kind="stable")
    wrong_first = fullest[np.argsort((rows == columns)[fullest], kind="stable")][:MOST_CELLS]
    return tuple(
        (classes[row], classes[column], int(confusion[row, column]))
        for row, column in zip(rows[wrong_first], columns[wrong_first], strict=True)
    )


def _alt(material: Material) -> str:
    pairs = material.evaluation.confused()[:3]
    if not pairs:
        return "Confusion matrix: every photo lies on the diagonal."
    told = "; ".join(f"{truth} taken for {answer} {images} times" for truth, answer, images in pairs)
    return f"Confusion matrix of {len(material.classes)} classes. Most frequent mistakes: {told}."
