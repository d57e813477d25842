"""A training: what was reached on photos that it had not seen, what was chosen and why, and the history."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fieldguide.data.scan import count_of
from fieldguide.displays import evaluation, summary, tag_evaluation
from fieldguide.displays import html as page
from fieldguide.displays.drawing import axes_for, height_for, inside
from fieldguide.errors import OptionError
from fieldguide.evaluation.result import Evaluation
from fieldguide.evaluation.tag_result import TagEvaluation
from fieldguide.learning.history_plot import draw_losses
from fieldguide.learning.movement_plot import draw_movement
from fieldguide.learning.train import TrainResult
from fieldguide.recipes.common import Fitted

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def lines(result: TrainResult) -> Iterator[str]:
    """What the command shows."""
    yield f"{_name(result)}: {result.options.recipe}, learned from {result.fitted.used:,} images"
    yield "chosen"
    yield from (f"  {choice}" for choice in result.choices)
    yield f"measured on {result.measured_on}"
    yield from summary.lines(result.validation.as_dict())
    yield from result.limits
    yield from said(result)


def html(result: TrainResult) -> str:
    """Figures, pictures, and what was chosen and why."""
    measured = result.validation
    heading = f"{_name(result)}: {result.options.recipe}, {_reached(measured)}"
    below = f"learned from {result.fitted.used:,} images; measured on {result.measured_on}"
    warned = [page.paragraph(sentence, "warn") for sentence in (*said(result), *result.limits)]
    chosen = [page.paragraph(choice, "dim") for choice in result.choices]
    drawn = _drawn(result.fitted)
    return page.whole(heading, page.paragraph(below), *warned, *_parts(measured, drawn), *chosen)


def said(result: TrainResult) -> Iterator[str]:
    """What must not be overlooked."""
    if result.refused:
        yield f"{count_of(len(result.refused), 'image')} could not be used; the model was made without"
    yield from (doubt.message for doubt in result.doubts)
    if result.fitted.interrupted:
        yield "training was interrupted; this is the best until then"


def rows(result: TrainResult) -> list[dict[str, Any]]:
    """A row an epoch; of a recipe without epochs, a row a class."""
    history = [dict(row) for row in result.fitted.history]
    measured = result.validation
    if isinstance(measured, TagEvaluation):
        return history or tag_evaluation.rows(measured)
    return history or evaluation.rows(measured)


def plot_confusion(result: TrainResult, ax: "Axes | None") -> "Axes":
    """The confusion matrix of photos that the model had not seen."""
    return evaluation.plot_confusion(_labels(result), ax)


def plot_recall(result: TrainResult, ax: "Axes | None") -> "Axes":
    """The share of each class's photos that was recognised."""
    return evaluation.plot_recall(_labels(result), ax)


def plot_history(result: TrainResult, ax: "Axes | None") -> "Axes":
    """Losses by epoch.

    Raises
    ------
    OptionError
        If the recipe does not train in epochs.
    """
    if not result.fitted.history:
        raise OptionError(f"kind: {result.options.recipe} does not train in epochs, so there is no history")
    with axes_for(ax) as axes:
        draw_losses(axes, result.fitted.history, result.fitted.outcome)
    return axes


def plot_movement(result: TrainResult, ax: "Axes | None") -> "Axes":
    """How far the weights of each stage moved.

    Raises
    ------
    OptionError
        If the recipe trains no network step by step.
    """
    outcome = result.fitted.outcome
    if outcome is None:
        raise OptionError(f"kind: {result.options.recipe} trains no network, so no weights moved")
    with axes_for(ax, height_for(len(outcome.stages))) as axes:
        draw_movement(axes, outcome)
    return axes


def plot_precision(result: TrainResult, ax: "Axes | None") -> "Axes":
    """The average precision of each tag.

    Raises
    ------
    OptionError
        If the model gives single labels.
    """
    if not isinstance(result.validation, TagEvaluation):
        raise OptionError("kind: precision is that of tags, and this model gives one label a photo")
    return tag_evaluation.plot_precision(result.validation, ax)


PLOTS = {
    "confusion": plot_confusion,
    "recall": plot_recall,
    "history": plot_history,
    "precision": plot_precision,
    "movement": plot_movement,
}


def _name(result: TrainResult) -> str:
    return "a model in memory" if result.options.out is None else str(result.options.out)


def _drawn(fitted: Fitted) -> list[page.Html]:
    """Losses by epoch, and how far the weights moved."""
    history, outcome = fitted.history, fitted.outcome
    drawn = []
    if history:
        drawn.append(inside(lambda axes: draw_losses(axes, history, outcome), "losses by epoch", 4.4))
    if outcome is not None:
        drawn.append(inside(lambda axes: draw_movement(axes, outcome), outcome.summary(), 4.4))
    return drawn


def _reached(measured: Evaluation | TagEvaluation) -> str:
    if isinstance(measured, TagEvaluation):
        return tag_evaluation.heading(measured)
    found = measured.accuracy
    return f"accuracy {found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _parts(measured: Evaluation | TagEvaluation, pictures: list[page.Html]) -> list[page.Html]:
    if isinstance(measured, TagEvaluation):
        return tag_evaluation.parts(measured, pictures)
    return evaluation.parts(measured, pictures)


def _labels(result: TrainResult) -> Evaluation:
    """The measurement of a model of single labels.

    Raises
    ------
    OptionError
        If it is one of tags.
    """
    if isinstance(result.validation, TagEvaluation):
        raise OptionError("kind: this plot is of single labels; a model of tags has: precision")
    return result.validation
