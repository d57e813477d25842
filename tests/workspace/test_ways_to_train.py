"""What the page Train offers is what can be trained."""

from fieldguide.recipes import RECIPES
from fieldguide.workspace.ways_to_train import PRESETS, WAYS


def test_every_recipe_is_offered_in_words():
    assert set(WAYS) == set(RECIPES)
    assert all(way.words.endswith(".") for way in WAYS.values())


def test_every_preset_begins_with_its_name():
    assert all(words.startswith(f"{name.capitalize()}: ") for name, words in PRESETS.items())
