"""Which recipes have a learning rate to look for."""

import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.learning.rate_finding import find_rate
from fieldguide.recipes.common import Options, Run


def test_a_recipe_without_steps_is_refused(tmp_path):
    dataset = Dataset(tmp_path, ("a.png",), ("a",))
    with pytest.raises(OptionError, match="--find-rate: the recipe svm takes no steps"):
        find_rate(dataset, "svm", Options(), Run())
