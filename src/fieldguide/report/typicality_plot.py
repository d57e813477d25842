"""How familiar the photos look, and whether foreign ones are noticed."""

import numpy as np

from fieldguide.installation import program_command
from fieldguide.metrics.classification import FloatArray
from fieldguide.metrics.intervals import share
from fieldguide.report import figures
from fieldguide.report.blocks import Block, Notice, Numbers, Picture, Section, Text
from fieldguide.report.material import CommonMaterial, percent, span

BINS = 20


def section(material: CommonMaterial) -> Section:
    """The histogram of typicality; with foreign photos, how well they are told apart."""
    lead = (
        "Are these the kind of photo it knows? Typicality is the share of held-out training photos that "
        "looked no more familiar. Photos like those that the model learned from spread evenly from 0 to "
        "1; foreign ones gather at 0."
    )
    blocks: list[Block] = [_histogram(material)]
    if material.evaluation.foreign is None:
        text = (
            "How well would photos of other things be noticed? Give a folder of some; labels do not matter."
        )
        command = program_command(
            f"evaluate {material.model} {material.data} --foreign OTHER --report FILE.html"
        )
        blocks.append(Notice(text, command))
    else:
        blocks.append(Text(_foreign(material)))
    return Section("typicality", "Out-of-distribution", lead, blocks)


def _histogram(material: CommonMaterial) -> Picture:
    edges = np.linspace(0, 1, BINS + 1)
    known = _shares(material.outcomes.typicality, edges)
    others = _shares(material.foreign.typicality, edges) if material.foreign else None
    middles, width = (edges[1:] + edges[:-1]) / 2, 0.9 / BINS
    with figures.style():
        figure, axes = figures.axes(9.6, 3.2)
        axes.bar(middles, known, width, color="#8ec3e0", edgecolor=figures.BLUE, label="these photos")
        if others is not None:
            axes.bar(
                middles,
                others,
                width,
                color="none",
                edgecolor=figures.ORANGE,
                hatch="///",
                linewidth=1.2,
                label="foreign photos",
            )
        axes.axhline(1 / BINS, color=figures.GREY, linestyle=":", linewidth=1.2, label="even spread")
        axes.set(xlim=(-0.01, 1.01), xlabel="typicality", ylabel="share of photos")
        axes.legend(loc="upper right")
    rows = tuple(
        (float(edges[n]), float(edges[n + 1]), float(known[n]), None if others is None else float(others[n]))
        for n in range(BINS)
    )
    columns = ("from", "to", "share of these photos", "share of foreign photos")
    words = _rate(material)
    numbers = Numbers(columns, rows)
    return Picture("typicality", words, words, figures.Plot(figure), numbers, wide=True)


def _rate(material: CommonMaterial) -> str:
    unknown = material.outcomes.unknown
    rate = share(int(unknown.sum()), len(unknown))
    limit = material.card["thresholds"]["unknown"]
    return (
        f"{percent(rate.value)} of these photos ({span(rate)}) fall below the threshold of {limit:g} and "
        "are called "
        f"unknown; {percent(limit, 0)} would be expected of photos like those learned from."
    )


def _foreign(material: CommonMaterial) -> str:
    found = material.evaluation.foreign
    assert found is not None, "asked for with foreign photos alone"
    return (
        f"Of {found.n:,} foreign photos, {percent(found.miss_rate.value)} ({span(found.miss_rate)}) were "
        "taken for a "
        "known class. A photo of the data is more typical than a foreign one in "
        f"{percent(found.auroc.value)} of "
        f"pairs ({span(found.auroc)}): the area under the ROC curve, AUROC."
    )


def _shares(values: FloatArray, edges: FloatArray) -> FloatArray:
    counts, _ = np.histogram(values, edges)
    return np.asarray(counts / max(1, len(values)))
