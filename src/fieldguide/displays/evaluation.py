"""A measurement: figures with their ranges, confusion, reliability, and the mistakes that were surest."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fieldguide.displays import html as page
from fieldguide.displays import measurement, summary
from fieldguide.displays.drawing import axes_for, draw_ranges, height_for, inside
from fieldguide.errors import OptionError
from fieldguide.evaluation.model_evaluation import ModelEvaluation
from fieldguide.evaluation.result import Evaluation
from fieldguide.metrics import intervals
from fieldguide.metrics.calibration_curve import reliability
from fieldguide.report import calibration_plot, confusion

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_MISTAKES = 8
"""Photos shown of those that were answered wrong with the highest probabilities."""


def lines(measured: Evaluation) -> Iterator[str]:
    """The page of text that the command shows."""
    if isinstance(measured, ModelEvaluation):
        yield f"{measured.model} on {measured.data}"
    yield from summary.lines(measured.as_dict())


def html(measured: Evaluation) -> str:
    """Figures beside the confusion matrix, then the surest mistakes."""
    name = f"{measured.model} on {measured.data}: " if isinstance(measured, ModelEvaluation) else ""
    heading = f"{name}accuracy {measured.accuracy.value:.3f} over {measured.n:,} images"
    return page.whole(heading, *warnings_of(measured), *parts(measured))


def parts(measured: Evaluation, pictures: Sequence[page.Html] = ()) -> list[page.Html]:
    """What stands below the heading; `pictures` stand beside its own."""
    drawn = [inside(lambda axes: _draw_confusion(axes, measured), "confusion matrix", 4.4, 3.8)]
    if isinstance(measured, ModelEvaluation):
        drawn.append(inside(lambda axes: _draw_reliability(axes, measured), "reliability diagram", 4.4))
    figures = page.side_by_side(
        [_figures(measured), *measurement.weakest(rows(measured), "weakest classes", "images")]
    )
    found = [figures, page.side_by_side([*drawn, *pictures])]
    if isinstance(measured, ModelEvaluation):
        against = None if measured.against is None else measured.against.as_dict()
        compared = [] if against is None else measurement.compared(against, "accuracy", "accuracy")
        found += [*measurement.foreign(measured), *compared, *_mistakes(measured)]
    return found


def warnings_of(measured: Evaluation) -> list[page.Html]:
    """What must not be overlooked: photos that training has seen, and those that were left out."""
    learned, leaks = measured.learned, measured.leaks
    seen = [learned.summary] if learned is not None and learned.n else []
    seen += [leaks.summary] if leaks is not None and leaks.paths else []
    return measurement.warnings(measured, seen, "image", "classes")


def rows(measured: Evaluation) -> list[dict[str, Any]]:
    """A row a class."""
    per_class: list[dict[str, Any]] = measured.as_dict()["per_class"]
    return per_class


def plot_confusion(measured: Evaluation, ax: "Axes | None") -> "Axes":
    """The confusion matrix; of many classes those with the most mistakes."""
    with axes_for(ax, confusion.side(len(measured.classes))) as axes:
        _draw_confusion(axes, measured)
    return axes


def plot_reliability(measured: Evaluation, ax: "Axes | None") -> "Axes":
    """Whether stated probabilities come true.

    Raises
    ------
    OptionError
        If the answers to the single images are not at hand.
    """
    if not isinstance(measured, ModelEvaluation):
        raise OptionError("kind: reliability needs the answers themselves; evaluate the model: evaluate()")
    with axes_for(ax) as axes:
        _draw_reliability(axes, measured)
    return axes


def plot_recall(measured: Evaluation, ax: "Axes | None") -> "Axes":
    """The share of each class's photos that was recognised, the lowest first."""
    right = np.diag(measured.confusion)
    found = [
        (label, intervals.share(int(hits), int(n)))
        for label, hits, n in zip(measured.classes, right, measured.per_class.support, strict=True)
        if n
    ]
    found.sort(key=lambda row: row[1].value)
    with axes_for(ax, height_for(len(found))) as axes:
        draw_ranges(axes, found, "recall")
    return axes


PLOTS = {"confusion": plot_confusion, "reliability": plot_reliability, "recall": plot_recall}


def _draw_confusion(axes: "Axes", measured: Evaluation) -> None:
    confusion.draw(axes, measured.confusion, measured.classes)


def _draw_reliability(axes: "Axes", measured: ModelEvaluation) -> None:
    answers = measured.outcomes
    calibration_plot.draw(axes, reliability(answers.confidence, answers.truth == answers.predicted))


def _figures(measured: Evaluation) -> page.Html:
    beside = [
        ("log loss", measured.log_loss, ""),
        ("calibration error", measured.ece, ""),
        ("sets hold the truth", measured.coverage, f"{measured.mean_set_size:.2f} labels each"),
        ("taken as unknown", measured.unknown_rate, ""),
    ]
    return measurement.figures(measured.as_dict(), summary.NAMES, beside)


def _mistakes(measured: ModelEvaluation) -> list[page.Html]:
    """The wrong answers with the highest probabilities, as photos."""
    answers, images = measured.outcomes, measured.images
    wrong = np.flatnonzero(answers.truth != answers.predicted)
    if not len(wrong):
        return []
    surest = wrong[np.argsort(-answers.confidence[wrong], kind="stable")][:MOST_MISTAKES]
    shots = []
    for row in surest.tolist():
        truth, said = measured.classes[answers.truth[row]], measured.classes[answers.predicted[row]]
        told = (
            f"{truth}, taken for {said} ({answers.confidence[row]:.2f})",
            images.display(images.paths[row]),
        )
        shots.append(page.photo(images.paths[row], told))
    return [page.paragraph("the surest mistakes", "dim"), page.side_by_side(shots)]
