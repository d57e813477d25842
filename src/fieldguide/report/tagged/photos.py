"""Photos to look at: the surest mistakes, the closest calls, and what is typical of each tag."""

import numpy as np
from numpy.typing import NDArray

from fieldguide.report.blocks import Block, Gallery, Section, Text
from fieldguide.report.galleries import CLASSES, HITS, MISTAKES, how_to_read
from fieldguide.report.material import percent
from fieldguide.report.photos import SMALL, Wanted
from fieldguide.report.tagged.material import TagReportData


def mistakes(material: TagReportData) -> Section:
    """The surest mistakes: a tag given wrongly with a high probability, or missed with a low one."""
    title = "Most confident errors"
    lead = (
        "The wrong tags that the model was surest of, and the true ones that it thought least probable. Look "
        "here first: many turn out to be tags that are missing or wrong in the data."
    )
    surprise = _surprise(material)
    worst = surprise.max(1)
    rows = np.argsort(-worst, kind="stable")[:MISTAKES]
    rows = rows[worst[rows] >= 0]
    if not len(rows):
        return Section("mistakes", title, lead, [Text("There are none: every tag was right.")])
    wanted = [_mistake(material, row, int(surprise[row].argmax())) for row in rows.tolist()]
    gallery = Gallery(material.photos.shots(wanted))
    blocks: list[Block] = [gallery]
    if gallery.has_heat:
        blocks.append(how_to_read(material, "the tag that stands below the photo"))
    return Section("mistakes", title, lead, blocks)


def closest(material: TagReportData) -> Section | None:
    """Photos whose tags are all right by the narrowest margins."""
    out = material.outcomes
    margins = np.abs(out.probabilities - np.asarray(material.thresholds, dtype=np.float32))
    margins[~out.known] = np.inf
    right = np.flatnonzero(out.all_right() & out.known.any(1))
    least = margins.min(1)
    rows = right[np.argsort(least[right], kind="stable")][:HITS]
    if not len(rows):
        return None
    wanted = [_close(material, row, int(margins[row].argmin())) for row in rows.tolist()]
    lead = (
        "Photos whose tags are all right, one of them by a narrow margin: its probability is close to the "
        "threshold of the tag. More photos like these make the model surer."
    )
    return Section("hits", "Least confident correct answers", lead, [Gallery(material.photos.shots(wanted))])


def examples(material: TagReportData) -> Section | None:
    """The most and the least typical photo of each tag."""
    support = material.evaluation.per_class.support
    mistaken = material.missed.sum(0) + material.wrong.sum(0)
    order = np.argsort(-mistaken, kind="stable")
    chosen = np.sort(order[support[order] > 0][:CLASSES])
    wanted = [photo for tag in chosen.tolist() for photo in _pair(material, tag)]
    if not wanted:
        return None
    lead = (
        "Of each tag the photo most and the photo least like those that the model learned from. What is "
        "least typical may be tagged wrongly, oddly taken, or a kind of which there are too few."
    )
    blocks: list[Block] = [Gallery(material.photos.shots(wanted, side=SMALL), small=True)]
    if len(chosen) < int((support > 0).sum()):
        blocks.append(Text(f"Shown are the {CLASSES} tags with the most mistakes."))
    return Section("examples", "Typical and atypical photos", lead, blocks)


def _surprise(material: TagReportData) -> NDArray[np.float32]:
    """How sure the model was of what is wrong, of shape (n_images, n_tags); -1 where nothing is."""
    probabilities = material.outcomes.probabilities
    found = np.full(probabilities.shape, -1, dtype=np.float32)
    found[material.wrong] = probabilities[material.wrong]
    found[material.missed] = 1 - probabilities[material.missed]
    return found


def _mistake(material: TagReportData, row: int, tag: int) -> Wanted:
    what = "given" if material.wrong[row, tag] else "missed"
    stated = f"{material.classes[tag]} {what}, {percent(material.outcomes.probabilities[row, tag], 0)}"
    title = f"{material.true_tags(row)} → {material.given_tags(row)}"
    path = material.images.paths[row]
    return Wanted(path, material.classes[tag], title, (stated,), material.shown(row))


def _close(material: TagReportData, row: int, tag: int) -> Wanted:
    probability, threshold = material.outcomes.probabilities[row, tag], material.thresholds[tag]
    stated = f"{material.classes[tag]} {percent(probability, 0)}, given from {percent(threshold, 0)} on"
    path = material.images.paths[row]
    return Wanted(path, material.classes[tag], material.given_tags(row), (stated,), material.shown(row))


def _pair(material: TagReportData, tag: int) -> list[Wanted]:
    """Most and least typical photo; among equals, the one whose tag is the more and the less probable."""
    out, name = material.outcomes, material.classes[tag]
    rows: NDArray[np.int64] = np.flatnonzero(out.shown[:, tag])
    order = np.lexsort((out.probabilities[rows, tag], out.typicality[rows]))
    return [
        Wanted(
            material.images.paths[row],
            name,
            name,
            (f"{which}, {out.typicality[row]:.2g}",),
            material.shown(row),
        )
        for row, which in ((int(rows[order[-1]]), "most typical"), (int(rows[order[0]]), "least typical"))
    ]
