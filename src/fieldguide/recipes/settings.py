"""Options that only some recipes take: which were given, and whether the recipe takes them."""

from collections.abc import Iterable, Mapping
from typing import Any

from fieldguide.errors import OptionError
from fieldguide.recipes import find, usable

RECIPE_OPTIONS = (
    "epochs",
    "batch_size",
    "learning_rate",
    "augment",
    "augment_with",
    "size",
    "architecture",
    "minutes",
    "download",
    "devices",
    "resume",
    "restart",
)
"""What only some recipes take; each recipe's ``OPTIONS`` names those that it does."""

NEEDS = {"preview": "augment", "plot": "epochs", "tensorboard": "epochs"}
"""What makes sense only with recipes that take another option."""


def settings_for(
    recipe: str, given: Mapping[str, Any], others: Iterable[tuple[str, float]] = ()
) -> dict[str, Any]:
    """Settings of a recipe out of what a person gave.

    Parameters
    ----------
    recipe
        A key of :data:`fieldguide.recipes.RECIPES`.
    given
        Names of :data:`RECIPE_OPTIONS` and keys of :data:`NEEDS` with their values; None is not given.
    others
        Names and numbers of the recipe's options that have no name of their own among these.

    Raises
    ------
    OptionError
        If the recipe does not take one of them.

    Examples
    --------
    >>> settings_for("linear-probe", {"size": 160, "epochs": None}, [("shrinkage", 0.7)])
    {'shrinkage': 0.7, 'size': 160}
    """
    named = {name: value for name, value in given.items() if value is not None}
    for name in named:
        need = NEEDS.get(name, name)
        if need not in find(recipe).OPTIONS:
            takers = [other for other in usable() if need in find(other).OPTIONS]
            taken = (
                f"recipes that do: {', '.join(takers)}" if takers else "no recipe of this installation does"
            )
            flag = "--" + name.replace("_", "-")
            raise OptionError(f"{flag}: the recipe {recipe} does not take it; {taken}; leave it out")
    flagged = {name: value for name, value in named.items() if name not in NEEDS}
    return _checked(recipe, others) | flagged


def _checked(recipe: str, others: Iterable[tuple[str, float]]) -> dict[str, Any]:
    """The options that have no flag of their own."""
    allowed = sorted(find(recipe).OPTIONS - set(RECIPE_OPTIONS))
    assigned = dict(others)
    for name in assigned:
        if name not in allowed:
            listed = ", ".join(allowed) or "none"
            raise OptionError(
                f"--set: the recipe {recipe} has no option {name!r} without a flag; it has {listed}"
            )
    return assigned
