import numpy as np
import pytest

import fieldguide
from fieldguide.api.values import as_model, as_path, model_path, whole_number
from fieldguide.errors import OptionError


@pytest.mark.parametrize("value", [-1, 1.5, "2", None, True])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(OptionError, match="seed: must be a whole number, 0 or more; got"):
        whole_number("seed", value)


def test_numbers_of_numpy_are_numbers():
    assert whole_number("seed", np.int64(3)) == 3


def test_models_are_taken_as_files_or_loaded(colours):
    model = fieldguide.load(colours)
    assert as_model(model) is model and as_model(str(colours)).classes == model.classes
    assert model_path(model) == model_path(colours) == colours
    assert as_path(None) is None and as_path("a") == as_path(as_path("a"))
