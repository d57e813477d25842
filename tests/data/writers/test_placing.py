"""Photos in their new places: names apart, letter case aside, links where they can be."""

from pathlib import Path

from fieldguide.data.dataset import Dataset
from fieldguide.data.writers.placing import Placing, place
from form_samples import draw


def dataset(folder, names, labels):
    paths = tuple(str(draw(folder / name, number)) for number, name in enumerate(names))
    return Dataset(folder, paths, labels)


def test_names_that_differ_in_case_only_stay_apart(tmp_path):
    photos = dataset(tmp_path / "in", ("one/a.jpg", "two/A.JPG", "three/a.jpg"), ("x", "x", "y"))
    placed = place(photos, tmp_path / "out", Placing.IMAGES)
    assert [photo.name for photo in placed] == ["images/a.jpg", "images/A-2.JPG", "images/a-3.jpg"]
    for photo, path in zip(placed, photos.paths, strict=True):
        assert (tmp_path / "out" / photo.name).read_bytes() == Path(path).read_bytes()


def test_classes_keep_their_own_names_apart(tmp_path):
    photos = dataset(tmp_path / "in", ("one/a.jpg", "two/a.jpg"), ("x", "y"))
    placed = place(photos, tmp_path / "out", Placing.CLASSES)
    assert [photo.name for photo in placed] == ["x/a.jpg", "y/a.jpg"]


def test_progress_is_told(tmp_path):
    calls = []
    photos = dataset(tmp_path / "in", ("a.jpg", "b.jpg"), ("x", "y"))
    place(photos, tmp_path / "out", Placing.DATA, progress=lambda *call: calls.append(call))
    assert calls == [("copy", 1, 2), ("copy", 2, 2)]
