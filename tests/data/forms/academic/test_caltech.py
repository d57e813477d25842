"""Caltech: class folders with their numbers; what shows none of the classes is noted."""

from fieldguide.data.dataset import open_dataset
from form_samples import draw


def test_numbers_stay_and_clutter_is_noted(tmp_path):
    folder = tmp_path / "256_ObjectCategories"
    for number, name in enumerate(
        ("001.ak47/001_0001.jpg", "257.clutter/257_0001.jpg", "002.american-flag/x.jpg")
    ):
        draw(folder / name, number)
    draw(tmp_path / "elsewhere.jpg")
    for data in (tmp_path, folder):
        with open_dataset(data) as dataset:
            assert dataset.classes == ("001.ak47", "002.american-flag", "257.clutter")
            assert any("'257.clutter' holds photos that show none" in note for note in dataset.notes)
    with open_dataset(tmp_path) as dataset:
        assert "1 entry left out: outside 256_ObjectCategories" in dataset.notes
