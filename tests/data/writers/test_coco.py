"""COCO files: a category a photo, whose box is the whole photo."""

import json

from fieldguide.data.writers.coco import write
from fieldguide.data.writers.placing import PlacedPhoto
from form_samples import draw


def placed(folder, *photos):
    """Photos that lie in a folder, by name and label."""
    for number, (name, _) in enumerate(photos):
        draw(folder / name, number)
    return [PlacedPhoto(name, label, "", "") for name, label in photos]


def test_a_box_is_the_whole_photo(tmp_path):
    write(placed(tmp_path, ("images/a.jpg", "dog"), ("images/b.jpg", "cat")), tmp_path)
    value = json.loads((tmp_path / "annotations/instances_all.json").read_text())
    assert value["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    assert value["images"][0] == {"id": 1, "file_name": "a.jpg", "width": 32, "height": 24}
    first = value["annotations"][0]
    assert (first["category_id"], first["bbox"], first["area"]) == (2, [0, 0, 32, 24], 768)


def test_a_file_a_split(tmp_path):
    draw(tmp_path / "images/a.jpg")
    draw(tmp_path / "images/b.jpg", 1)
    photos = [PlacedPhoto("images/a.jpg", "cat", "train", ""), PlacedPhoto("images/b.jpg", "cat", "test", "")]
    write(photos, tmp_path)
    names = sorted(path.name for path in (tmp_path / "annotations").iterdir())
    assert names == ["instances_test.json", "instances_train.json"]
