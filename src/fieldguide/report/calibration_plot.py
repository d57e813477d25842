"""Whether stated probabilities come true."""

from fieldguide import page_figures
from fieldguide.page_blocks import Numbers, Picture, Section, Text
from fieldguide.report.material import Material, percent, span


def section(material: Material) -> Section:
    """The reliability diagram, and how often each probability was stated."""
    lead = (
        "Of the photos that the model calls 80 % sure, 80 % should be right. Points below the diagonal: it "
        "is too sure of itself; above: too modest. Bars are the ranges that the number of photos allows."
    )
    return Section(
        "reliability",
        "Can its probabilities be believed",
        lead,
        [_diagram(material), _counts(material), _words(material)],
    )


def _diagram(material: Material) -> Picture:
    told = material.reliability
    stated, reached = [b.stated for b in told.bins], [b.reached for b in told.bins]
    below = [interval.value - interval.low for interval in reached]
    above = [interval.high - interval.value for interval in reached]
    with page_figures.style():
        figure, axes = page_figures.axes()
        axes.plot([0, 1], [0, 1], "--", color=page_figures.GREY, linewidth=1)
        values = [interval.value for interval in reached]
        axes.errorbar(
            stated,
            values,
            [below, above],
            fmt="o-",
            color=page_figures.BLUE,
            ecolor="#8ec3e0",
            elinewidth=3,
            markersize=5,
        )
        axes.set(xlim=(0, 1.02), ylim=(0, 1.04), xlabel="stated probability", ylabel="share of right answers")
        axes.set_title("Reliability")
    caption = f"Expected calibration error {percent(told.ece.value)} ({span(told.ece)}), over 15 bins."
    rows = tuple((b.images, b.stated, b.reached.value, b.reached.low, b.reached.high) for b in told.bins)
    columns = ("photos", "stated probability", "share right", "low", "high")
    alt = f"Reliability diagram: {_verdict(material)} Expected calibration error {percent(told.ece.value)}."
    return Picture("reliability", alt, caption, page_figures.Plot(figure), Numbers(columns, rows))


def _counts(material: Material) -> Picture:
    import numpy as np

    edges = np.linspace(0, 1, 16)
    right, _ = np.histogram(material.outcomes.confidence[material.right], edges)
    wrong, _ = np.histogram(material.outcomes.confidence[~material.right], edges)
    middles = (edges[1:] + edges[:-1]) / 2
    with page_figures.style():
        figure, axes = page_figures.axes()
        axes.bar(middles, right, 0.058, color="#8ec3e0", edgecolor="white", label="right")
        axes.bar(
            middles,
            wrong,
            0.058,
            right,
            color=page_figures.ORANGE,
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
    return Picture("confidence", alt, caption, page_figures.Plot(figure), Numbers(columns, rows))


def _words(material: Material) -> Text:
    told = material.reliability
    return Text(
        f"{_verdict(material)} With this many photos, a perfectly calibrated model would show an error of "
        "up to "
        f"{percent(told.by_chance)} by chance alone."
    )


def _verdict(material: Material) -> str:
    told = material.reliability
    if told.ece.value <= told.by_chance:
        return "The probabilities can be taken at their word: what is off is no more than chance."
    too_sure = float(material.outcomes.confidence.mean()) > float(material.right.mean())
    return f"The model is somewhat too {'sure of itself' if too_sure else 'modest'} on these photos."
