"""The ways to train. A new recipe is one file with `SUMMARY`, `OPTIONS` and `fit`, plus one line here."""

import importlib
from types import ModuleType

from fieldguide.errors import OptionError

RECIPES = {
    "linear-probe": "linear_probe",
    "finetune": "finetune",
    "cnn": "cnn",
    "svm": "svm",
    "random-forest": "random_forest",
}
"""Name and module; a module is loaded when it is asked for, since some of them take seconds."""


def find(name: str) -> ModuleType:
    """Return the recipe of that name.

    Raises
    ------
    OptionError
        If there is none.
    """
    if name not in RECIPES:
        raise OptionError(f"recipe: must be one of {', '.join(RECIPES)}; got {name!r}")
    return importlib.import_module(f"{__name__}.{RECIPES[name]}")
