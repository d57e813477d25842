"""How many tags photos are given, and whether sets hold the true ones."""

import numpy as np

from fieldguide.metrics.tags import covered_shares
from fieldguide.report import figures
from fieldguide.report.blocks import Block, Numbers, Picture, Section, Text
from fieldguide.report.material import percent, span
from fieldguide.report.tagged.material import TagReportData

LARGEST = 8
"""Photos with this many tags or more are one bar."""


def section(material: TagReportData) -> Section:
    """Tags a photo, true and given, and what sets hold."""
    lead = (
        "Left: how many tags photos have, and how many they were given. Right: the sets, which hold the tags "
        "given and all others down to one common probability, so that few true ones are missed."
    )
    blocks: list[Block] = [_counts(material)]
    if material.card["thresholds"].get("set") is not None and material.evaluation.coverage is not None:
        blocks += [_sets(material), Text(_words(material))]
    return Section("coverage", "Tags given and sets", lead, blocks)


def _names() -> list[str]:
    return [*(str(count) for count in range(LARGEST)), f"{LARGEST}+"]


def _counts(material: TagReportData) -> Picture:
    out = material.outcomes
    true, given = (
        np.bincount(np.minimum(part.sum(1), LARGEST), minlength=LARGEST + 1)
        for part in (out.shown, out.given)
    )
    places = np.arange(LARGEST + 1)
    with figures.style():
        figure, axes = figures.axes()
        axes.bar(places - 0.2, true, 0.4, color="#8ec3e0", edgecolor="white", label="true")
        axes.bar(
            places + 0.2, given, 0.4, color=figures.ORANGE, hatch="///", edgecolor="white", label="given"
        )
        axes.set_xticks(places, _names())
        axes.set(xlabel="tags", ylabel="photos", title="Tags a photo")
        axes.legend(loc="upper right")
    mean = float(out.shown.sum(1).mean())
    alt = (
        f"Photos have {mean:.2f} tags on average and are given {material.evaluation.mean_labels:.2f}; "
        f"{percent(float(given[0]) / len(out.tags), 0)} are given none."
    )
    rows = tuple(zip(_names(), true.tolist(), given.tolist(), strict=True))
    return Picture(
        "tags-a-photo", alt, alt, figures.Plot(figure), Numbers(("tags", "photos", "given to"), rows)
    )


def _sets(material: TagReportData) -> Picture:
    out = material.outcomes
    having = out.shown.any(1)
    sizes = np.minimum(out.members[having].sum(1), LARGEST)
    whole = covered_shares(out.shown, out.members) == 1
    good, bad = (np.bincount(sizes[part], minlength=LARGEST + 1) for part in (whole, ~whole))
    with figures.style():
        figure, axes = figures.axes()
        axes.bar(_names(), good, color="#8ec3e0", edgecolor="white", label="holds all true tags")
        axes.bar(
            _names(),
            bad,
            bottom=good,
            color=figures.ORANGE,
            hatch="///",
            edgecolor="white",
            label="misses one or more",
        )
        axes.set(xlabel="tags in the set", ylabel="photos with tags", title="Sets")
        axes.set_ylim(0, 1.3 * max(1, int((good + bad).max())))
        axes.legend(loc="upper right")
    rows = tuple(zip(_names(), (good + bad).tolist(), good.tolist(), strict=True))
    numbers = Numbers(("tags in the set", "photos with tags", "hold all true tags"), rows)
    alt = f"Sizes of sets. {_words(material)}"
    caption = f"{material.evaluation.mean_set_size:.2f} tags in a set on average."
    return Picture("sets", alt, caption, figures.Plot(figure), numbers)


def _words(material: TagReportData) -> str:
    coverage = material.evaluation.coverage
    assert coverage is not None, "asked for where photos have tags"
    promised = material.card["thresholds"]["coverage"]
    return (
        f"Sets hold {percent(coverage.value)} ({span(coverage)}) of a photo's true tags on average; "
        f"{percent(promised, 0)} was promised."
    )
