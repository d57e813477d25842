"""The ways to train. A new recipe is one file with `SUMMARY`, `OPTIONS` and `fit`, plus one line here."""

from types import ModuleType

from fieldguide.errors import OptionError
from fieldguide.recipes import cnn, finetune, linear_probe, random_forest, svm

RECIPES: dict[str, ModuleType] = {
    "linear-probe": linear_probe,
    "finetune": finetune,
    "cnn": cnn,
    "svm": svm,
    "random-forest": random_forest,
}


def find(name: str) -> ModuleType:
    """Return the recipe of that name.

    Raises
    ------
    OptionError
        If there is none.
    """
    if name not in RECIPES:
        raise OptionError(f"recipe: must be one of {', '.join(RECIPES)}; got {name!r}")
    return RECIPES[name]
