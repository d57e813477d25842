"""What of a recipe can be searched: its ``SEARCH`` table, turned into trials.

A recipe says so in a literal table, name to description: ``{"choices": (...)}``, or ``{"low": a, "high": b}``
with ``"log": True`` where factors count rather than differences and ``"whole": True`` for whole numbers.
The names are those of options (`backbone`, `preset`) or of the recipe's own settings.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fieldguide import recipes
from fieldguide.errors import OptionError
from fieldguide.experiments.fold_task import Candidate
from fieldguide.recipes.common import Options

if TYPE_CHECKING:
    from optuna import Trial

OPTION_FIELDS = ("backbone", "preset")
"""Names that are fields of :class:`Options`; all others are settings of a recipe."""

Space = Mapping[str, Mapping[str, Any]]


def search_space(recipe: str, options: Options) -> Space:
    """What may be varied: the recipe's table without what the options fix already.

    Raises
    ------
    OptionError
        If the recipe is unknown, or has nothing left to vary.
    """
    table: Space = getattr(recipes.find(recipe), "SEARCH", {})
    fixed = set(options.settings)
    if options.backbone is not None or options.weights is not None:
        fixed.add("backbone")
    space = {name: described for name, described in table.items() if name not in fixed}
    if not space:
        able = [name for name in recipes.usable() if getattr(recipes.find(name), "SEARCH", {})]
        raise OptionError(
            f"recipe: {recipe} has nothing to search here; recipes that have: {', '.join(able)}; choose one, "
            "or fix less by hand"
        )
    return space


def suggest(trial: "Trial", space: Space) -> dict[str, Any]:
    """Values for one trial."""
    return {name: _suggested(trial, name, described) for name, described in space.items()}


def _suggested(trial: "Trial", name: str, described: Mapping[str, Any]) -> Any:
    if "choices" in described:
        return trial.suggest_categorical(name, list(described["choices"]))
    low, high, log = described["low"], described["high"], bool(described.get("log"))
    if described.get("whole"):
        return trial.suggest_int(name, low, high, log=log)
    return trial.suggest_float(name, low, high, log=log)


def candidate_for(recipe: str, options: Options, values: Mapping[str, Any]) -> Candidate:
    """The candidate with these values; none of them is the recipe as it comes."""
    own = {name: value for name, value in values.items() if name in OPTION_FIELDS}
    settings = {name: value for name, value in values.items() if name not in OPTION_FIELDS}
    changed = dataclasses.replace(options, **own, settings={**options.settings, **settings})
    summary = ", ".join(f"{name} {value_text(value)}" for name, value in values.items())
    return Candidate(f"{recipe} {summary}" if summary else f"{recipe} as it comes", recipe, changed)


def value_text(value: Any) -> str:
    """A value for a person."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
