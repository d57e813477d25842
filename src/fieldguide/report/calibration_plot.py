"""Whether stated probabilities come true."""

from typing import TYPE_CHECKING

from fieldguide.metrics.calibration_curve import Reliability
from fieldguide.report import figures
from fieldguide.report.blocks import Numbers, Picture, Section, Text
from fieldguide.report.material import ReportData, percent, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def section(material: ReportData) -> Section:
    """The reliability diagram, and how often each probability was stated."""
    lead = (
        "Can its probabilities be believed? Of the photos that the model calls 80 % sure, 80 % should be "
        "right. Points below the diagonal: it is too sure of itself; above: too modest. Bars are the "
        "ranges that the number of photos allows."
    )
    return Section(
        "reliability",
        "Calibration",
        lead,
        [_diagram(material), _counts(material), _words(material)],
    )


def draw(axes: "Axes", summary: Reliability, came_true: str = "share of right answers") -> None:
    """Draw a reliability diagram: how often each stated probability came true, which `came_true` words."""
    stated, reached = [b.stated for b in summary.bins], [b.reached for b in summary.bins]
    below = [interval.value - interval.low for interval in reached]
    above = [interval.high - interval.value for interval in reached]
    axes.plot([0, 1], [0, 1], "--", color=figures.GREY, linewidth=1)
    axes.errorbar(
        stated,
        [interval.value for interval in reached],
        [below, above],
        fmt="o-",
        color=figures.BLUE,
        ecolor="#8ec3e0",
        elinewidth=3,
        markersize=5,
    )
    axes.set(xlim=(0, 1.02), ylim=(0, 1.04), xlabel="stated probability", ylabel=came_true)
    axes.set_title("Reliability")


def _diagram(material: ReportData) -> Picture:
    summary = material.reliability
    with figures.style():
        figure, axes = figures.axes()
        draw(axes, summary)
    caption = f"Expected calibration error {percent(summary.ece.value)} ({span(summary.ece)}), over 15 bins."
    rows = tuple((b.images, b.stated, b.reached.value, b.reached.low, b.reached.high) for b in summary.bins)
    columns = ("photos", "stated probability", "share right", "low", "high")
    alt = (
        f"Reliability diagram: {_verdict(material)} Expected calibration error {percent(summary.ece.value)}."
    )
    return Picture("reliability", alt, caption, figures.Plot(figure), Numbers(columns, rows))


def _counts(material: ReportData) -> Picture:
    import numpy as np

    edges = np.linspace(0, 1, 16)
    right, _ = np.histogram(material.outcomes.confidence[material.right], edges)
    wrong, _ = np.histogram(material.outcomes.confidence[~material.right], edges)
    middles = (edges[1:] + edges[:-1]) / 2
    with figures.style():
        figure, axes = figures.axes()
        axes.bar(middles, right, 0.058, color="#8ec3e0", edgecolor="white", label="right")
        axes.bar(
            middles,
            wrong,
            0.058,
            right,
            color=figures.ORANGE,
            hatch="///",
            edgecolor="white",
            label="wrong",
        )
        axes.set(xlim=(0, 1.02), xlabel="stated probability", ylabel="photos", title="How sure it was")
        axes.legend(loc="upper left")
    columns = ("from", "to", "right", "wrong")
    rows = tuple(zip(edges[:-1].tolist(), edges[1:].tolist(), right.tolist(), wrong.tolist(), strict=True))
    sure = float((material.outcomes.confidence >= 0.9).mean())
    alt = f"Histogram of stated probabilities: {percent(sure, 0)} of the photos at 90 % or more."
    caption = f"{percent(sure, 0)} of the photos were answered with 90 % or more."
    return Picture("confidence", alt, caption, figures.Plot(figure), Numbers(columns, rows))


def _words(material: ReportData) -> Text:
    summary = material.reliability
    return Text(
        f"{_verdict(material)} With this many photos, a perfectly calibrated model would show an error of "
        "up to "
        f"{percent(summary.by_chance)} by chance alone."
    )


def _verdict(material: ReportData) -> str:
    summary = material.reliability
    if summary.ece.value <= summary.by_chance:
        return "The probabilities can be taken at their word: what is off is no more than chance."
    too_sure = float(material.outcomes.confidence.mean()) > float(material.right.mean())
    return f"The model is somewhat too {'sure of itself' if too_sure else 'modest'} on these photos."
