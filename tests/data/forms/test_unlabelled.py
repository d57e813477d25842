"""Files that hold no labels say so, and the way on."""

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms.source import DataSource
from fieldguide.data.forms.unlabelled import without_labels
from fieldguide.errors import DataError
from form_samples import LABELS, draw, write_csv, write_json

MEGADETECTOR = {
    "info": {"detector": "md_v5a.0.0.pt", "format_version": "1.3"},
    "detection_categories": {"1": "animal", "2": "person", "3": "vehicle"},
    "images": [{"file": "a1.jpg", "detections": [{"category": "1", "conf": 0.9, "bbox": [0, 0, 1, 1]}]}],
}


@pytest.fixture
def folder(tmp_path):
    for number, stem in enumerate(LABELS):
        draw(tmp_path / f"{stem}x.jpg", number)
    return tmp_path


@pytest.mark.parametrize("named", [True, False])
def test_megadetector_leaves_the_labels_to_a_table(folder, named):
    write_json(folder / "md.json", MEGADETECTOR)
    with (
        pytest.raises(DataError, match=r"md.json: it holds MegaDetector's detections .* put a table"),
        open_dataset(folder / "md.json" if named else folder),
    ):
        pass


def test_beside_a_table_it_does_not_disturb(folder):
    write_json(folder / "md.json", MEGADETECTOR)
    rows = [[f"{stem}x.jpg", label] for stem, label in LABELS.items()]
    write_csv(folder / "species.csv", [["file", "label"], *rows])
    with open_dataset(folder) as dataset:
        assert dataset.classes == ("cat", "dog")


def test_images_to_predict_need_no_labels(folder):
    write_json(folder / "md.json", MEGADETECTOR)
    with open_dataset(folder, minimum_classes=0) as dataset:
        assert len(dataset) == len(LABELS)


def test_a_coco_file_of_images_alone(folder):
    write_json(
        folder / "image_info_test2017.json", {"images": [{"file_name": "a1.jpg", "id": 1}], "categories": []}
    )
    assert "COCO file without annotations" in str(without_labels(DataSource(folder)))


def test_other_files_are_no_matter(folder):
    write_json(folder / "a.json", {"images": 3})
    write_json(folder / "b.json", [1, 2])
    assert without_labels(DataSource(folder)) is None
