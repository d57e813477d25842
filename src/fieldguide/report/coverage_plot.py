"""What is gained when the model may stay silent, or answer with several names."""

import numpy as np

from fieldguide.metrics.intervals import share
from fieldguide.report import figures
from fieldguide.report.blocks import Block, Cell, Numbers, Picture, Section, Text
from fieldguide.report.material import ReportData, percent

MOST_POINTS = 200
LARGEST = 4
"""Prediction sets of this size or more are one bar."""


def section(material: ReportData) -> Section:
    """Accuracy against the share answered, and the sizes of prediction sets with how often they are right."""
    lead = (
        "Where a person can look at the rest, the model need not answer everything. Left: how often it "
        "is right when it answers only what it is surest of. Right: answers that name every class that "
        "may be it."
    )
    blocks: list[Block] = [_silence(material)]
    if material.card["thresholds"].get("set") is not None:
        blocks.append(_sets(material))
    blocks.append(Text(_words(material)))
    return Section("coverage", "Coverage and abstention", lead, blocks)


def _silence(material: ReportData) -> Picture:
    order = np.argsort(-material.outcomes.confidence, kind="stable")
    n = len(order)
    places = np.unique(np.linspace(max(1, n // 50), n, min(n, MOST_POINTS)).round().astype(np.int64))
    hits = np.cumsum(material.right[order])
    ranges = [share(int(hits[k - 1]), int(k)) for k in places]
    answered = places / n
    known = ~material.outcomes.unknown
    with figures.style():
        figure, axes = figures.axes()
        low, high = [r.low for r in ranges], [r.high for r in ranges]
        axes.fill_between(answered, low, high, color="#cfe5f1", linewidth=0, label="95 % range")
        axes.plot(answered, [r.value for r in ranges], color=figures.BLUE, linewidth=2, label="surest first")
        if known.any():
            accuracy = float(material.right[known].mean())
            axes.plot(
                [known.mean()],
                [accuracy],
                "D",
                color=figures.ORANGE,
                markersize=7,
                label="silent when unknown",
            )
        axes.set(xlim=(0, 1.02), xlabel="share answered", ylabel="accuracy of the answers")
        axes.set_title("Accuracy against coverage")
        axes.legend(loc="lower left")
    stated = material.outcomes.confidence[order][places - 1]
    rows: list[tuple[Cell, ...]] = [
        (float(a), r.value, r.low, r.high, float(p)) for a, r, p in zip(answered, ranges, stated, strict=True)
    ]
    columns = ("share answered", "accuracy", "low", "high", "least probability answered")
    alt = f"Accuracy against coverage. {_words(material)}"
    caption = "The surest answers first; the mark is the model's own rule for unknown photos."
    return Picture("accuracy-coverage", alt, caption, figures.Plot(figure), Numbers(columns, tuple(rows)))


def _sets(material: ReportData) -> Picture:
    sizes, held = np.minimum(material.outcomes.set_size, LARGEST), material.outcomes.covered
    counts = [(int((sizes == size).sum()), int(held[sizes == size].sum())) for size in range(LARGEST + 1)]
    names = [*(str(size) for size in range(LARGEST)), f"{LARGEST} or more"]
    with figures.style():
        figure, axes = figures.axes()
        good, bad = [c[1] for c in counts], [c[0] - c[1] for c in counts]
        axes.bar(names, good, color="#8ec3e0", edgecolor="white", label="holds the truth")
        axes.bar(
            names,
            bad,
            bottom=good,
            color=figures.ORANGE,
            hatch="///",
            edgecolor="white",
            label="does not",
        )
        for place, (n, _) in enumerate(counts):
            if n:
                axes.annotate(f"{n:,}", (place, n), (0, 3), textcoords="offset points", ha="center")
        axes.set(xlabel="names in the set", ylabel="photos", title="Prediction sets")
        axes.set_ylim(0, 1.15 * max(n for n, _ in counts))
        axes.legend(loc="upper right")
    measured, promised = material.evaluation, material.card["thresholds"]["coverage"]
    words = (
        f"Sets hold the truth for {percent(measured.coverage)} of the photos; {percent(promised, 0)} "
        "was promised"
    )
    rows = tuple((name, n, hit) for name, (n, hit) in zip(names, counts, strict=True))
    numbers = Numbers(("names in the set", "photos", "hold the truth"), rows)
    caption = f"{words}. One name means a clear case, several a case for a person, none a photo unlike all."
    return Picture("prediction-sets", f"{words}.", caption, figures.Plot(figure), numbers)


def _words(material: ReportData) -> str:
    order = np.argsort(-material.outcomes.confidence, kind="stable")
    kept = order[: max(1, int(0.8 * len(order)))]
    least = float(material.outcomes.confidence[kept].min())
    return (
        f"Answering only the 80 % of photos that it is surest of (probability {least:.2f} and above), the "
        "model is "
        f"right in {percent(float(material.right[kept].mean()))} of them; answering all, in "
        f"{percent(material.evaluation.accuracy.value)}."
    )
