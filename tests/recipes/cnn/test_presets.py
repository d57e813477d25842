"""The dials of `cnn`."""

import pytest

from fieldguide.errors import OptionError
from fieldguide.recipes.cnn.presets import PRESETS, preset_of
from fieldguide.recipes.common import Options


def test_a_preset_is_found_by_its_name():
    assert preset_of(Options()) is PRESETS["balanced"]
    assert PRESETS["fast"].passes < PRESETS["balanced"].passes < PRESETS["best"].passes


def test_an_unknown_one_names_those_that_there_are():
    with pytest.raises(OptionError, match="preset: must be one of fast, balanced, best; got 'huge'"):
        preset_of(Options(preset="huge"))
