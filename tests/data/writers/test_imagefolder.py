"""Hugging Face's metadata.csv, one in each folder of photos."""

import csv

from fieldguide.data.writers.imagefolder import write
from fieldguide.data.writers.placing import PlacedPhoto
from form_samples import draw


def placed(folder, *photos):
    """Photos that lie in a folder, by name and label."""
    for number, (name, _) in enumerate(photos):
        draw(folder / name, number)
    return [PlacedPhoto(name, label, "", "") for name, label in photos]


def test_names_count_from_the_folder_of_the_metadata(tmp_path):
    write(placed(tmp_path, ("train/a,b.jpg", 'the "big" cat'), ("test/b.jpg", "dog")), tmp_path)
    with (tmp_path / "train/metadata.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["file_name", "label"], ["a,b.jpg", 'the "big" cat']]
    assert (tmp_path / "test/metadata.csv").is_file()
