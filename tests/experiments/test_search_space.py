"""What of a recipe can be searched."""

import pytest

from fieldguide.errors import OptionError
from fieldguide.experiments.search_space import candidate_for, search_space
from fieldguide.recipes.common import Options


def test_what_is_fixed_is_not_searched():
    assert set(search_space("linear-probe", Options())) == {"backbone", "size", "shrinkage"}
    assert set(search_space("linear-probe", Options("a", settings={"size": 96}))) == {"shrinkage"}
    fixed = Options("a", settings={"size": 96, "shrinkage": 0.5})
    with pytest.raises(OptionError, match=r"linear-probe has nothing to search here"):
        search_space("linear-probe", fixed)


def test_values_become_settings_and_options():
    candidate = candidate_for("linear-probe", Options(seed=4), {"backbone": "b", "shrinkage": 0.5})
    assert candidate.options == Options("b", seed=4, settings={"shrinkage": 0.5})
    assert candidate.name == "linear-probe backbone b, shrinkage 0.5"
    assert candidate_for("linear-probe", Options(), {}).name == "linear-probe as it comes"
