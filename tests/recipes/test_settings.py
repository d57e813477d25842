import pytest

from fieldguide.errors import OptionError
from fieldguide.recipes.settings import settings_for


def test_what_is_not_given_is_no_setting():
    assert settings_for("linear-probe", {"epochs": None, "size": 128}) == {"size": 128}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"batch_size": 4}, "--batch-size: the recipe svm does not take it"),
        # Without torch there is none that learns in passes.
        ({"plot": "p.png"}, "--plot: the recipe svm does not take it; (recipes that do: |no recipe of this)"),
    ],
)
def test_what_the_recipe_does_not_take_is_said(given, told):
    with pytest.raises(OptionError, match=told):
        settings_for("svm", given)


def test_other_options_have_to_be_the_recipes():
    assert settings_for("linear-probe", {}, [("shrinkage", 0.5)]) == {"shrinkage": 0.5}
    with pytest.raises(OptionError, match="--set: the recipe linear-probe has no option 'depth'"):
        settings_for("linear-probe", {}, [("depth", 3)])
