"""Whether the stated probabilities of tags come true, of all together and by tag."""

import numpy as np
from numpy.typing import NDArray

from fieldguide.metrics.calibration_curve import binned
from fieldguide.metrics.classification import FloatArray
from fieldguide.report import calibration_plot, figures
from fieldguide.report.blocks import Block, Cell, Numbers, Picture, Section, Text
from fieldguide.report.material import named, percent, span
from fieldguide.report.tagged.material import TagReportData

MOST_LINES = 40
"""Tags drawn as lines: those with the largest errors."""
CAME_TRUE = "share of photos with the tag"


def section(material: TagReportData) -> Section | None:
    """The reliability diagram of all tags together, and one line a tag."""
    if not material.outcomes.known.any():
        return None
    lead = (
        "Can its probabilities be believed? Of the photos that a tag is held 80 % probable for, 80 % should "
        "have it. Below the diagonal probabilities are too high, above it too low. Bars are the ranges that "
        "the number of photos allows."
    )
    blocks: list[Block] = [_diagram(material)]
    order = _drawn(material)
    if len(order):
        blocks.append(_by_tag(material, order))
    return Section("reliability", "Calibration", lead, [*blocks, Text(_words(material))])


def _diagram(material: TagReportData) -> Picture:
    summary = material.reliability
    with figures.style():
        figure, axes = figures.axes()
        calibration_plot.draw(axes, summary, CAME_TRUE)
        axes.set_title("Reliability, all tags together")
    caption = f"Expected calibration error {percent(summary.ece.value)} ({span(summary.ece)}), over 15 bins."
    rows = tuple((b.images, b.stated, b.reached.value, b.reached.low, b.reached.high) for b in summary.bins)
    columns = ("photos and tags", "stated probability", "share with the tag", "low", "high")
    alt = f"Reliability diagram of all tags together: {_verdict(material)} {caption}"
    return Picture("reliability", alt, caption, figures.Plot(figure), Numbers(columns, rows))


def _drawn(material: TagReportData) -> NDArray[np.int64]:
    """The tags with the largest calibration errors, of which something is known."""
    errors = material.evaluation.ece_by_tag
    order = np.argsort(-np.where(np.isnan(errors), -1.0, errors), kind="stable")
    return np.asarray(order[~np.isnan(errors[order])][:MOST_LINES])


def _by_tag(material: TagReportData, order: NDArray[np.int64]) -> Picture:
    lines = {int(tag): _line(material, int(tag)) for tag in order}
    worst = int(order[0])
    error = float(material.evaluation.ece_by_tag[worst])
    with figures.style():
        figure, axes = figures.axes()
        axes.plot([0, 1], [0, 1], "--", color=figures.GREY, linewidth=1)
        for stated, reached, _ in lines.values():
            axes.plot(stated, reached, "o-", color=figures.PALE, linewidth=0.9, markersize=3)
        stated, reached, _ = lines[worst]
        name = f"{named(material.classes[worst])}, {error:.3f}"
        axes.plot(stated, reached, "^--", color=figures.ORANGE, linewidth=1.8, markersize=6, label=name)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.04), xlabel="stated probability", ylabel=CAME_TRUE)
        axes.set_title("Reliability by tag")
        axes.legend(loc="upper left")
    rows: list[tuple[Cell, ...]] = [
        (material.classes[tag], int(n), float(said), float(true))
        for tag, (stated, reached, counts) in lines.items()
        for said, true, n in zip(stated, reached, counts, strict=True)
    ]
    some = (
        f"the {len(lines)} tags with the largest errors" if len(lines) < len(material.classes) else "all tags"
    )
    caption = f"A line a tag, {some}; the broken one has the largest error. Few photos make a line jagged."
    alt = f"Reliability of each tag. Largest calibration error: {material.classes[worst]}, {percent(error)}."
    numbers = Numbers(("tag", "photos", "stated probability", "share with the tag"), tuple(rows))
    return Picture("reliability-by-tag", alt, caption, figures.Plot(figure), numbers)


def _line(material: TagReportData, tag: int) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Stated and reached shares of one tag in bins that hold photos, and how many each holds."""
    out = material.outcomes
    rows = out.known[:, tag]
    counts, stated, reached = zip(*binned(out.probabilities[rows, tag], out.shown[rows, tag]), strict=True)
    return np.array(stated), np.array(reached), np.array(counts, dtype=np.int64)


def _words(material: TagReportData) -> str:
    return (
        f"{_verdict(material)} With this many photos, a perfectly calibrated model would show an error of "
        f"up to {percent(material.reliability.by_chance)} by chance alone. By tag, the mean error is "
        f"{percent(material.evaluation.ece)}; the table above has each."
    )


def _verdict(material: TagReportData) -> str:
    summary, out = material.reliability, material.outcomes
    if summary.ece.value <= summary.by_chance:
        return "The probabilities can be taken at their word: what is off is no more than chance."
    known = out.known
    too_high = float(out.probabilities[known].mean()) > float(out.shown[known].mean())
    return f"Probabilities are somewhat too {'high' if too_high else 'low'} on these photos."
