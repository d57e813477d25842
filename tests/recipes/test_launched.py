"""Recipes that train no network join no other process."""

import pytest

from fieldguide.recipes.launched import launched_together


@pytest.mark.parametrize("recipe", ["linear-probe", "svm"])
def test_a_recipe_without_devices_is_always_done_here(recipe, monkeypatch):
    told = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with launched_together(recipe) as leads:
        assert leads
