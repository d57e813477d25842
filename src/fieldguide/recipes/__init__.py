"""The ways to train. A new recipe is one file with `SUMMARY`, `OPTIONS` and `fit`, plus one line here."""

import importlib
import importlib.util
from types import ModuleType

from fieldguide.errors import OptionError
from fieldguide.installation import command_for

RECIPES = {
    "auto": "auto.recipe",
    "linear-probe": "linear_probe",
    "finetune": "finetune.recipe",
    "cnn": "cnn.recipe",
    "svm": "svm",
    "extra-trees": "extra_trees",
}
"""Name and module; a module is loaded when it is asked for, since some of them take seconds."""

OTHER_NAMES = {"random-forest": "extra-trees"}
"""Names under which people look for a recipe, and its own; extremely randomised trees are a kind of random
forest."""


NEED_TORCH = frozenset({"finetune", "cnn"})
"""Recipes in which a network itself learns."""
_TORCH = ("torch", "torchvision", "timm", "onnxscript", "lightning_fabric")


def usable() -> tuple[str, ...]:
    """Names of the recipes whose libraries are installed."""
    return tuple(name for name in RECIPES if name not in NEED_TORCH or has_torch())


def has_torch() -> bool:
    """Whether all that training a network needs is installed; nothing is imported to find out."""
    return all(importlib.util.find_spec(module) is not None for module in _TORCH)


def find(name: str) -> ModuleType:
    """Return the recipe of that name.

    Raises
    ------
    OptionError
        If there is none, or it needs torch and that is not installed.

    Examples
    --------
    >>> find("random-forest").__name__
    'fieldguide.recipes.extra_trees'
    >>> find("perceptron")
    Traceback (most recent call last):
        ...
    fieldguide.errors.OptionError: recipe: must be one of auto, linear-probe, finetune, cnn, svm, ...
    """
    own = OTHER_NAMES.get(name, name)
    if own not in RECIPES:
        raise OptionError(f"recipe: must be one of {', '.join((*RECIPES, *OTHER_NAMES))}; got {name!r}")
    if own in NEED_TORCH and not has_torch():
        raise OptionError(
            f"recipe {name}: trains a network, which needs torch, and that is not installed; take one of "
            f"{', '.join(usable())}, or run: {command_for('torch')}"
        )
    return importlib.import_module(f"{__name__}.{RECIPES[own]}")
