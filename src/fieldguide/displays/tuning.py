"""A search over the settings of a recipe, and the model that came of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fieldguide.displays import html as page
from fieldguide.displays.drawing import axes_for, inside
from fieldguide.experiments.scoring import score_of
from fieldguide.experiments.search_space import value_text
from fieldguide.experiments.study import TrialRow
from fieldguide.experiments.tune import TuneResult
from fieldguide.experiments.tuning_plot import draw_importances, draw_trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_TRIALS = 10


def lines(result: TuneResult) -> Iterator[str]:
    """What was chosen, and what to expect of it on new photos."""
    choice, expected = result.choice, result.choice.expected
    states = [trial.state for trial in result.trials]
    yield (
        f"{states.count('complete')} trials finished, {states.count('pruned')} given up early, "
        f"{states.count('failed')} failed"
    )
    name = result.words.name
    score = score_of(choice.default).value
    yield f"as it comes: {name} {score:.3f}, log loss {choice.default.log_loss:.3f}"
    if not choice.values:
        yield f"chosen: {choice.winner.name}; what was tried is not better, or only by luck"
    else:
        yield f"chosen: {choice.winner.name}"
        yield (
            f"expect on new photos: {name} {expected.accuracy.value:.3f} ({expected.accuracy.low:.3f} to "
            f"{expected.accuracy.high:.3f}), log loss {expected.log_loss.value:.3f}"
        )
    if result.importances:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in result.importances.items())
        yield f"what decided: {shares}"
    if result.interrupted:
        yield "interrupted; the best so far was trained"


def html(result: TuneResult) -> str:
    """The same with the best trials and a picture of all."""
    first, *more = lines(result)
    names = _names(result)
    columns = ("trial", *names, result.options.objective.replace("_", " "), result.words.name)
    table = page.table(columns, (_cells(trial, names) for trial in _best(result)[:MOST_TRIALS]))
    drawn = inside(lambda axes: draw_trials(axes, result), "what each trial reached", 5.0)
    sentences = [page.paragraph(line) for line in more]
    return page.whole(f"{result.options.recipe}: {first}", *sentences, page.side_by_side([table, drawn]))


def rows(result: TuneResult) -> list[dict[str, Any]]:
    """A row a trial."""
    return [
        {"number": row.number, "state": row.state, **row.values, "objective": row.objective}
        | {result.words.key: row.accuracy, "error": row.error}
        for row in result.trials
    ]


def plot_trials(result: TuneResult, ax: "Axes | None") -> "Axes":
    """What each trial reached."""
    with axes_for(ax) as axes:
        draw_trials(axes, result)
    return axes


def plot_importances(result: TuneResult, ax: "Axes | None") -> "Axes":
    """Which settings decided."""
    with axes_for(ax) as axes:
        draw_importances(axes, result.importances)
    return axes


PLOTS = {"trials": plot_trials, "importances": plot_importances}


def _names(result: TuneResult) -> list[str]:
    return list(dict.fromkeys(name for trial in result.trials for name in trial.values))


def _best(result: TuneResult) -> list[TrialRow]:
    """Finished trials, the best first."""
    finished = [trial for trial in result.trials if trial.state == "complete"]
    return sorted(finished, key=lambda trial: float("inf") if trial.objective is None else trial.objective)


def _cells(trial: TrialRow, names: list[str]) -> tuple[object, ...]:
    values = (value_text(trial.values.get(name, "-")) for name in names)
    return (trial.number, *values, f"{trial.objective:.4f}", f"{trial.accuracy:.3f}")
