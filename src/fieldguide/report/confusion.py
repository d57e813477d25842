"""Which classes are taken for which."""

import importlib.util
from typing import TYPE_CHECKING

import numpy as np

from fieldguide.metrics.classification import FloatArray, IntArray, ratio
from fieldguide.report import figures
from fieldguide.report.blocks import Block, Cell, Column, Numbers, Picture, Section, TableBlock, Text
from fieldguide.report.material import ReportData, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_DRAWN = 30
"""Classes in the picture; of more, those with the most mistakes."""
NARROW = 6
"""Up to so many classes the picture takes half the page."""
MOST_PAIRS = 300
MOST_CELLS = 5_000
"""Cells of the matrix that its CSV holds, the fullest first; 5,000 are about 100 KB."""


def section(material: ReportData) -> Section:
    """The matrix, classes that are mixed up side by side, and the pairs with the most mistakes."""
    pairs = material.evaluation.confused()
    blocks: list[Block] = [_picture(material)]
    if pairs:
        blocks.append(_pairs(material, pairs))
    else:
        blocks.append(Text("No class was taken for another."))
    lead = (
        "What is mixed up with what: each row is a true class and says what its photos were taken for. "
        "Mistakes lie off the diagonal; classes that are mixed up with each other stand side by side."
    )
    return Section("confusion", "Confusion matrix", lead, blocks)


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
        Class numbers in their new order; in the old one where SciPy is not installed.
    """
    if len(confusion) < 3 or not _has_scipy():
        return np.arange(len(confusion))
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    shares = _shares(confusion)
    distance = 1 - np.maximum(shares, shares.T)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), method="average", optimal_ordering=True)
    return np.asarray(leaves_list(tree), dtype=np.int64)


def _picture(material: ReportData) -> Picture:
    whole, classes = material.evaluation.confusion, material.classes
    chosen = drawn_classes(whole)
    part, names = whole[np.ix_(chosen, chosen)], [classes[number] for number in chosen]
    size = side(len(names))
    with figures.style():
        figure, axes = figures.axes(size + 1.2, size)
        draw(axes, whole, classes)
    caption = "Numbers are photos; the darker a field, the larger its share of the row."
    if not _has_scipy():
        caption += (
            " Classes stand in the model's order; with SciPy (the extra report) they would be clustered."
        )
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
        figures.Plot(figure),
        Numbers(("true class", "taken for", "photos"), _cells(whole, classes)),
        wide=len(names) > NARROW,
    )


def _has_scipy() -> bool:
    return importlib.util.find_spec("scipy") is not None


def side(classes: int) -> float:
    """Inches that the picture takes for its classes."""
    return min(4.2 + 0.32 * min(classes, MOST_DRAWN), 11.5)


def drawn_classes(confusion: IntArray) -> IntArray:
    """Numbers of the classes that a picture shows, those that are mixed up side by side."""
    chosen = _chosen(confusion)
    return chosen[clustered(confusion[np.ix_(chosen, chosen)])]


def draw(
    axes: "Axes",
    confusion: IntArray,
    classes: tuple[str, ...],
    words: tuple[str, str] = ("true class", "taken for"),
) -> None:
    """Draw a confusion matrix, of too many classes those with the most mistakes.

    Parameters
    ----------
    axes
        Of Matplotlib.
    confusion
        Of shape (n_classes, n_classes), rows true.
    classes
        Their names.
    words
        What rows and columns are.
    """
    chosen = drawn_classes(confusion)
    _draw_counts(axes, confusion[np.ix_(chosen, chosen)], [named(classes[number]) for number in chosen])
    axes.set_ylabel(words[0])
    axes.set_xlabel(words[1])


def _draw_counts(axes: "Axes", counts: IntArray, names: list[str]) -> None:
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    shares = _shares(counts)
    shading = LinearSegmentedColormap.from_list("ink", ["#ffffff", "#8ec3e0", figures.BLUE, "#06304d"])
    axes.imshow(shares, cmap=shading, norm=PowerNorm(0.5, 0, 1))
    places = range(len(names))
    axes.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, names)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#e7eaee", linewidth=1)
    axes.tick_params(which="minor", length=0)
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, column] > 0.3 else figures.INK
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


def _pairs(material: ReportData, pairs: list[tuple[str, str, int]]) -> TableBlock:
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
    return TableBlock("confused-pairs", f"Most often mixed up{more}", columns, tuple(rows), shown=10)


def _cells(confusion: IntArray, classes: tuple[str, ...]) -> tuple[tuple[Cell, ...], ...]:
    rows, columns = np.nonzero(confusion)
    fullest = np.argsort(-confusion[rows, columns], kind="stable")
    wrong_first = fullest[np.argsort((rows == columns)[fullest], kind="stable")][:MOST_CELLS]
    return tuple(
        (classes[row], classes[column], int(confusion[row, column]))
        for row, column in zip(rows[wrong_first], columns[wrong_first], strict=True)
    )


def _alt(material: ReportData) -> str:
    pairs = material.evaluation.confused()[:3]
    if not pairs:
        return "Confusion matrix: every photo lies on the diagonal."
    summary = "; ".join(f"{truth} taken for {answer} {images} times" for truth, answer, images in pairs)
    return f"Confusion matrix of {len(material.classes)} classes. Most frequent mistakes: {summary}."
