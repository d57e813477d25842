"""A measurement of tags: figures with their ranges, average precision by tag, and reliability."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fieldguide.displays import html as page
from fieldguide.displays import measurement, tag_summary
from fieldguide.displays.drawing import axes_for, draw_ranges, height_for, inside
from fieldguide.errors import OptionError
from fieldguide.evaluation.model_evaluation import ModelTagEvaluation
from fieldguide.evaluation.tag_result import TagEvaluation
from fieldguide.metrics.calibration_curve import tag_reliability
from fieldguide.report import calibration_plot
from fieldguide.report.tagged.calibration import CAME_TRUE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def lines(measured: TagEvaluation) -> Iterator[str]:
    """The page of text that the command shows."""
    if isinstance(measured, ModelTagEvaluation):
        yield f"{measured.model} on {measured.data}"
    yield from tag_summary.lines(measured.as_dict())


def html(measured: TagEvaluation) -> str:
    """Figures beside average precision by tag."""
    return page.whole(heading(measured), *warnings_of(measured), *parts(measured))


def heading(measured: TagEvaluation) -> str:
    """The mean average precision."""
    name = f"{measured.model} on {measured.data}: " if isinstance(measured, ModelTagEvaluation) else ""
    mean = measured.average_precision.mean
    figure = "no tag to measure by" if mean is None else f"mean average precision {mean.value:.3f}"
    return f"{name}{figure} over {measured.n:,} photos"


def parts(measured: TagEvaluation, pictures: Sequence[page.Html] = ()) -> list[page.Html]:
    """What stands below the heading; `pictures` stand beside its own."""
    drawn = [inside(lambda axes: _draw_precision(axes, measured), "average precision by tag", 4.4, 3.8)]
    if isinstance(measured, ModelTagEvaluation):
        drawn.append(inside(lambda axes: _draw_reliability(axes, measured), "reliability diagram", 4.4))
    found = [
        page.side_by_side([_figures(measured), *drawn, *pictures]),
        *measurement.weakest(rows(measured), "weakest tags", "photos"),
        *measurement.foreign(measured),
    ]
    if isinstance(measured, ModelTagEvaluation) and measured.against is not None:
        found += measurement.compared(measured.against.as_dict(), "map", "mean average precision")
    return found


def warnings_of(measured: TagEvaluation) -> list[page.Html]:
    """What must not be overlooked."""
    parts_without = (measured.learned, measured.leaks, measured.corrections)
    seen = [part.summary for part in parts_without if part is not None and part.n]
    return measurement.warnings(measured, seen, "photo", "tags")


def rows(measured: TagEvaluation) -> list[dict[str, Any]]:
    """A row a tag."""
    return measured.per_class_rows()


def plot_precision(measured: TagEvaluation, ax: "Axes | None") -> "Axes":
    """The average precision of each tag, the lowest first."""
    with axes_for(ax, height_for(len(measured.classes))) as axes:
        _draw_precision(axes, measured)
    return axes


def plot_reliability(measured: TagEvaluation, ax: "Axes | None") -> "Axes":
    """Whether stated probabilities come true, all tags together.

    Raises
    ------
    OptionError
        If the answers to the single photos are not at hand.
    """
    if not isinstance(measured, ModelTagEvaluation):
        raise OptionError("kind: reliability needs the answers themselves; evaluate the model: evaluate()")
    with axes_for(ax) as axes:
        _draw_reliability(axes, measured)
    return axes


PLOTS = {"precision": plot_precision, "reliability": plot_reliability}


def _draw_precision(axes: "Axes", measured: TagEvaluation) -> None:
    intervals = measured.average_precision.intervals
    found = [(name, one) for name, one in zip(measured.classes, intervals, strict=True) if one is not None]
    draw_ranges(axes, sorted(found, key=lambda row: row[1].value), "average precision")


def _draw_reliability(axes: "Axes", measured: ModelTagEvaluation) -> None:
    answers = measured.outcomes
    summary = tag_reliability(answers.probabilities, answers.shown, answers.known)
    calibration_plot.draw(axes, summary, CAME_TRUE)


def _figures(measured: TagEvaluation) -> page.Html:
    beside = [
        ("tags given", measured.mean_labels, f"in sets {measured.mean_set_size:.2f}"),
        ("log loss", measured.log_loss, ""),
        ("calibration error", measured.ece, "mean over tags"),
        ("taken as unknown", measured.unknown_rate, ""),
    ]
    return measurement.figures(measured.as_dict(), tag_summary.NAMES, beside)
