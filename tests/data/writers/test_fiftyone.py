"""FiftyOne's labels.json: names without endings, which must differ."""

import json

import pytest

from fieldguide.data.writers.fiftyone import write
from fieldguide.data.writers.placing import PlacedPhoto
from fieldguide.errors import OutputError
from form_samples import draw


def placed(folder, *photos):
    """Photos that lie in a folder, by name and label."""
    for number, (name, _) in enumerate(photos):
        draw(folder / name, number)
    return [PlacedPhoto(name, label, "", "") for name, label in photos]


def test_labels_are_places_among_the_classes(tmp_path):
    write(placed(tmp_path, ("data/a.jpg", "dog"), ("data/b.jpg", "cat")), tmp_path)
    value = json.loads((tmp_path / "labels.json").read_text())
    assert value == {"classes": ["cat", "dog"], "labels": {"a": 1, "b": 0}}


def test_names_that_differ_in_their_endings_only_are_refused(tmp_path):
    photos = placed(tmp_path, ("data/a.jpg", "dog"), ("data/a.png", "cat"))
    with pytest.raises(OutputError, match="names without endings"):
        write(photos, tmp_path)
