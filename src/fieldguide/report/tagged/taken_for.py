"""Which tags are taken for which: one missed, another given wrongly, on the same photo."""

import numpy as np

from fieldguide.report import confusion, figures
from fieldguide.report.blocks import Block, Cell, Column, Numbers, Picture, Section, TableBlock, Text
from fieldguide.report.tagged.material import TagReportData

MOST_PAIRS = 300


def section(material: TagReportData) -> Section:
    """The matrix of tags missed and tags given wrongly, and the most frequent pairs."""
    lead = (
        "A photo on which one tag was missed while another was given wrongly: probably the one was taken for "
        "the other. Each row is a tag that was missed and says what was given there instead."
    )
    title = "Tags taken for each other"
    pairs = material.evaluation.confused()
    if not pairs:
        text = "On no photo was one tag missed while another was given wrongly."
        return Section("confusion", title, lead, [Text(text)])
    blocks: list[Block] = [_picture(material, pairs), _table(material, pairs)]
    return Section("confusion", title, lead, blocks)


def _picture(material: TagReportData, pairs: list[tuple[str, str, int]]) -> Picture:
    counts = material.evaluation.confusion
    taking_part = np.flatnonzero(counts.any(0) | counts.any(1))
    part, names = counts[np.ix_(taking_part, taking_part)], [material.classes[tag] for tag in taking_part]
    size = confusion.side(len(names))
    with figures.style():
        figure, axes = figures.axes(size + 1.2, size)
        confusion.draw(axes, part, tuple(names), ("tag missed", "tag given wrongly"))
    caption = "Numbers are photos; the darker a field, the larger its share of the row."
    if len(names) > confusion.MOST_DRAWN:
        caption += (
            f" Shown are the {confusion.MOST_DRAWN} tags with the most mistakes; the CSV has all pairs."
        )
    told = "; ".join(f"{missed} missed and {given} given {n} times" for missed, given, n in pairs[:3])
    numbers = Numbers(("tag missed", "given wrongly", "photos"), tuple(pairs[: confusion.MOST_CELLS]))
    wide = len(names) > confusion.NARROW
    alt = f"Tags taken for each other. Most often: {told}."
    return Picture("taken-for", alt, caption, figures.Plot(figure), numbers, wide=wide)


def _table(material: TagReportData, pairs: list[tuple[str, str, int]]) -> TableBlock:
    place = {name: number for number, name in enumerate(material.classes)}
    support = material.evaluation.per_class.support
    rows: list[tuple[Cell, ...]] = [
        (missed, given, n, n / int(support[place[missed]])) for missed, given, n in pairs[:MOST_PAIRS]
    ]
    more = f", the first {MOST_PAIRS} of {len(pairs):,}" if len(pairs) > MOST_PAIRS else ""
    columns = (
        Column("missed"),
        Column("given wrongly"),
        Column("photos"),
        Column("of the tag", ".1%", bar=True, note="share of the photos with the missed tag"),
    )
    return TableBlock("confused-pairs", f"Most often{more}", columns, tuple(rows), shown=10)
