"""Each class left out once, and whether its photos would be called unknown."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fieldguide.displays import html as page
from fieldguide.displays.drawing import axes_for, draw_ranges, height_for
from fieldguide.experiments.leave_one_class_out import LeaveOneClassOut
from fieldguide.experiments.left_out import LeftOutTag

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 30
"""Classes shown, those that are hardest to tell first; the JSON has them all."""


def lines(result: LeaveOneClassOut) -> Iterator[str]:
    """The result as text, line by line."""
    return lines_of(result.as_dict())


def lines_of(answer: dict[str, Any]) -> Iterator[str]:
    """The result (``novelty --json``) as text, line by line."""
    classes = answer["classes"]
    kind = "tag" if "tagged" in classes[0] else "class"
    many = "tags" if kind == "tag" else "classes"
    counted = f"{len(classes)} {kind if len(classes) == 1 else many}"
    yield (
        f"{counted}, each left out once; ranges hold the true value with 95 % confidence, "
        "the hardest to tell first"
    )
    for one in classes[:MOST_ROWS]:
        missed, auroc = one["miss_rate"], one["auroc"]
        taken = f", {_mostly(one)} {one['taken_for'][0]['label']}" if one["taken_for"] else ""
        yield (
            f"  {one['label']}: AUROC {auroc['value']:.3f} ({auroc['low']:.3f} to {auroc['high']:.3f}), "
            f"{missed['value']:.0%} of {one['n']} missed ({missed['low']:.0%} to {missed['high']:.0%}){taken}"
        )
    if len(classes) > MOST_ROWS:
        yield f"  {len(classes) - MOST_ROWS} more; --json lists them all"
    for label, reason in answer["not_applicable"].items():
        yield f"  {label}: not applicable: {reason}"
    by_typicality, by_probability = answer["mean_auroc"], answer["mean_auroc_of_probability"]
    yield f"mean AUROC {by_typicality:.3f} by typicality, {by_probability:.3f} by the largest probability"
    if kind == "tag":
        yield "counted are photos without any other tag: on them the model has seen nothing"
    yield (
        f"a photo of a {kind} that the model never saw would be taken for a "
        f"known one in {answer['mean_miss_rate']:.0%} of cases (known: typicality of "
        f"{answer['threshold']:g} or more)"
    )
    better = sum(one["auroc_of_probability"]["low"] > one["auroc"]["high"] for one in classes)
    if better:
        yield (
            f"{better} of {counted} are told better by a low probability than by typicality: "
            "let a person check answers with a low probability, too"
        )


def _mostly(one: dict[str, Any]) -> str:
    """How the first of what it was taken for is brought in; of tags, how often a wrong one was given."""
    if "tagged" not in one:
        return "mostly taken for"
    return f"{one['tagged']['value']:.0%} given a tag, mostly"


def html(result: LeaveOneClassOut) -> str:
    """A row a class, the hardest to tell first."""
    columns = ("left out", "images", "AUROC", "", "95 % range", "missed", "mostly taken for")
    rows_shown = [
        (
            one.label,
            one.n,
            f"{one.auroc.value:.3f}",
            page.bar(one.auroc.value),
            f"{one.auroc.low:.3f} to {one.auroc.high:.3f}",
            f"{one.miss_rate.value:.0%}",
            one.taken_for[0][0] if one.taken_for else "",
        )
        for one in result.classes
    ]
    tags = isinstance(result.classes[0], LeftOutTag)
    one, many = ("tag", "tags") if tags else ("class", "classes")
    missed = page.paragraph(
        f"A photo of a {one} that the model never saw would be taken for a known one in "
        f"{result.mean_miss_rate:.0%} of cases."
    )
    reasons = [page.paragraph(f"{label}: {why}", "dim") for label, why in result.not_applicable.items()]
    heading = f"{len(result.classes)} {many}, each left out once"
    return page.whole(heading, missed, page.table(columns, rows_shown, MOST_ROWS), *reasons)


def rows(result: LeaveOneClassOut) -> list[dict[str, Any]]:
    """A row a class."""
    rates = ("auroc", "auroc_of_probability", "false_alarm_rate", "miss_rate")
    return [
        {
            "label": one.label,
            "n": one.n,
            **{name: getattr(one, name).value for name in rates},
            "auroc_low": one.auroc.low,
            "auroc_high": one.auroc.high,
            "taken_for": one.taken_for[0][0] if one.taken_for else None,
            **({"tagged": one.tagged.value} if isinstance(one, LeftOutTag) else {}),
        }
        for one in result.classes
    ]


def plot_auroc(result: LeaveOneClassOut, ax: "Axes | None") -> "Axes":
    """How well each class is told from the others when it was never seen."""
    shown = [(one.label, one.auroc) for one in result.classes]
    with axes_for(ax, height_for(len(shown))) as axes:
        draw_ranges(axes, shown, "AUROC by typicality, class left out")
    return axes


PLOTS = {"auroc": plot_auroc}
