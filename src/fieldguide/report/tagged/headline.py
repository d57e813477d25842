"""How good a model of tags is, in one look."""

from fieldguide.evaluation.tag_result import TagsWithout
from fieldguide.metrics.intervals import Interval
from fieldguide.report.blocks import Block, Notice, Section, Text, Tile, Tiles
from fieldguide.report.material import percent, plural, span
from fieldguide.report.tagged.material import TagReportData


def section(material: TagReportData) -> Section:
    """Figures with their ranges, what they mean in plain words, and what must not be overlooked."""
    measured = material.evaluation
    blocks: list[Block] = [Tiles(tuple(_tiles(material))), Text(_in_words(material))]
    if measured.learned is not None and measured.learned.n:
        blocks.append(Notice(measured.learned.summary))
    if measured.shift is not None:
        blocks.append(Notice(f"Distribution shift: {measured.shift.summary}."))
    if measured.leaks is not None and measured.leaks.n:
        blocks.append(Notice(_leaked(measured.leaks)))
    promise = _promise(material)
    if promise:
        blocks.append(promise)
    if measured.strangers:
        blocks.append(Notice(_strangers(material)))
    lead = (
        f"Measured on {plural(measured.n, 'photo')}. Ranges hold the true value with 95 % confidence: "
        "the fewer the photos, the wider they are."
    )
    return Section("headline", "Mean average precision and F1", lead, blocks)


def _tiles(material: TagReportData) -> list[Tile]:
    measured, averages = material.evaluation, material.evaluation.averages
    error = material.reliability.ece
    tiles = [
        _share("Micro F1", averages.micro_f1, "precision and recall in one, over all tags given"),
        _share("Precision", averages.micro_precision, "of all tags given, those that are true"),
        _share("Recall", averages.micro_recall, "of all true tags, those that were given"),
        _share("Macro F1", averages.macro_f1, "mean over tags: every tag counts the same"),
        _share("All tags right", measured.exact_match, "photos without any tag wrong or missed"),
        _share("Calibration error", error, "how far stated probabilities are off, all tags together"),
    ]
    mean = measured.average_precision.mean
    if mean is not None:
        note = "mean over tags; how well each is ranked, whatever its threshold"
        tiles.insert(0, _share("Mean average precision", mean, note))
    if measured.coverage is not None and material.card["thresholds"].get("set") is not None:
        promised = percent(material.card["thresholds"]["coverage"], 0)
        note = f"of a photo's true tags; promised {promised}; {measured.mean_set_size:.2f} tags in a set"
        tiles.append(_share("Sets hold", measured.coverage, note))
    tiles.append(Tile("Tags given", f"{measured.mean_labels:.2f}", "a photo, on average"))
    tiles.append(
        Tile("Taken as unknown", percent(measured.unknown_rate), "photos unlike any seen in training")
    )
    tiles.append(Tile("Log loss", f"{measured.log_loss:.3f}", "over all photos and tags; 0 is perfect"))
    return tiles


def _share(name: str, interval: Interval, note: str) -> Tile:
    low, value, high = (min(one, 1.0) for one in (interval.low, interval.value, interval.high))
    return Tile(name, percent(interval.value), f"{span(interval)}; {note}", (low, value, high))


def _in_words(material: TagReportData) -> str:
    found, exact = material.evaluation.averages, material.evaluation.exact_match
    right, missed = found.micro_precision, found.micro_recall
    return (
        f"Of 100 tags that it gives, expect {100 * right.value:.0f} or so to be true, in the long run "
        f"between {100 * right.low:.0f} and {100 * right.high:.0f}; of 100 true tags it gives "
        f"{100 * missed.value:.0f} ({100 * missed.low:.0f} to {100 * missed.high:.0f}). "
        f"All tags are right on {percent(exact.value)} of the photos."
    )


def _promise(material: TagReportData) -> Notice | None:
    """Whether training had promised something else."""
    promised, found = material.promised, material.evaluation.average_precision.mean
    if promised is None or found is None:
        return None
    before = (
        f"When it was trained, held-out photos gave a mean average precision of {percent(promised.value)} "
        f"({span(promised)}). These photos give "
    )
    if found.high < promised.low:
        return Notice(f"{before}less, and not by chance: they are harder, tagged otherwise, or another kind.")
    if material.flattered:
        why = "they may be easier, or among those that the model learned from."
        return Notice(f"{before}more, and not by chance: {why}")
    return None


def _leaked(leaks: TagsWithout) -> str:
    summary = f"{leaks.summary[:1].upper()}{leaks.summary[1:]}."
    if leaks.map_without is None:
        return f"{summary} No photo is left that training has not seen."
    without = f"{percent(leaks.map_without.value)} ({span(leaks.map_without)})"
    return (
        f"{summary} Without them, on {plural(leaks.n_without, 'photo')}, mean average precision is {without}."
    )


def _strangers(material: TagReportData) -> str:
    names = ", ".join(label for label, _ in material.evaluation.strangers[:5])
    count = len(material.evaluation.strangers)
    left = "was left out, since the model does not know it" if count == 1 else ""
    left = left or "were left out, since the model does not know them"
    return f"{plural(count, 'tag')} of the data {left}: {names}."
