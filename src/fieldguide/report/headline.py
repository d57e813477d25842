"""How good the model is, in one look."""

from fieldguide.evaluation.result import LeakedPart
from fieldguide.metrics.intervals import Interval
from fieldguide.report.blocks import Block, Notice, Section, Text, Tile, Tiles
from fieldguide.report.material import ReportData, percent, plural, span


def section(material: ReportData) -> Section:
    """The headline: figures with their ranges, and what they mean in plain words."""
    measured = material.evaluation
    blocks: list[Block] = [Tiles(tuple(_tiles(material))), Text(_in_words(material))]
    if measured.learned is not None and measured.learned.n:
        blocks.append(Notice(measured.learned.summary))
    if measured.shift is not None:
        blocks.append(Notice(f"Distribution shift: {measured.shift.summary}."))
    if measured.leaks is not None and measured.leaks.paths:
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
    return Section("headline", "Accuracy", lead, blocks)


def _tiles(material: ReportData) -> list[Tile]:
    measured, thresholds = material.evaluation, material.card["thresholds"]
    tiles = [
        _share("Accuracy", measured.accuracy, "right answers"),
        _share("Balanced accuracy", measured.balanced_accuracy, "every class counts the same"),
        _share("Macro F1", measured.macro_f1, "mean over the classes of precision and recall in one"),
    ]
    if measured.top5:
        tiles.append(_share("Top 5", measured.top5, "the truth is among five names"))
    error = material.reliability.ece
    tiles.append(
        Tile(
            "Calibration error",
            percent(error.value),
            f"{span(error)}; how far stated probabilities are off",
            (min(error.low, 1), min(error.value, 1), min(error.high, 1)),
        )
    )
    if thresholds.get("set") is not None:
        promised = (
            f"promised {percent(thresholds['coverage'], 0)}; {measured.mean_set_size:.2f} names a photo"
        )
        tiles.append(Tile("Sets hold the truth", percent(measured.coverage), promised))
    tiles.append(
        Tile("Taken as unknown", percent(measured.unknown_rate), "photos unlike any seen in training")
    )
    tiles.append(Tile("Log loss", f"{measured.log_loss:.3f}", "0 is perfect; punishes being sure and wrong"))
    return tiles


def _share(name: str, interval: Interval, note: str) -> Tile:
    return Tile(
        name,
        percent(interval.value),
        f"{span(interval)}; {note}",
        (interval.low, interval.value, interval.high),
    )


def _in_words(material: ReportData) -> str:
    accuracy, n = material.evaluation.accuracy, material.evaluation.n
    wrong = n - int(material.right.sum())
    if not wrong:
        return (
            f"All {n:,} photos were recognised. That does not make the model perfect: with this many "
            "photos, "
            f"its true accuracy may still be as low as {percent(accuracy.low)}."
        )
    return (
        f"Of 100 photos like these, expect {100 * accuracy.value:.0f} or so to be recognised; in the "
        f"long run between {100 * accuracy.low:.0f} and {100 * accuracy.high:.0f}. Here {wrong:,} of "
        f"{n:,} got a wrong name; the sections below show which, and what may be behind it."
    )


def _promise(material: ReportData) -> Notice | None:
    """Whether training had promised something else."""
    promised, found = material.promised, material.evaluation.accuracy
    if promised is None:
        return None
    if found.high < promised.low:
        return Notice(
            f"When it was trained, held-out photos gave {percent(promised.value)} ({span(promised)}). "
            "These photos "
            "give less, and not by chance: they are harder, labelled otherwise, or of another kind."
        )
    if material.flattered:
        return Notice(
            f"When it was trained, held-out photos gave {percent(promised.value)} ({span(promised)}). "
            "These photos "
            "give more, and not by chance: they may be easier, or among those that the model learned from."
        )
    return None


def _leaked(leaks: LeakedPart) -> str:
    summary = f"{leaks.summary[:1].upper()}{leaks.summary[1:]}."
    if leaks.accuracy_without is None:
        return f"{summary} No photo is left that training has not seen."
    without = f"{percent(leaks.accuracy_without.value)} ({span(leaks.accuracy_without)})"
    return f"{summary} Without them, on {plural(leaks.n_without, 'photo')}, accuracy is {without}."


def _strangers(material: ReportData) -> str:
    images = sum(count for _, count in material.evaluation.strangers)
    names = ", ".join(label for label, _ in material.evaluation.strangers[:5])
    return f"{plural(images, 'photo')} were left out: their labels are not classes of this model ({names})."
