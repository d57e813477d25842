"""VGG Image Annotator: file attributes before regions', options of every type, JSON and CSV."""

import json

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms.entries import SEVERAL
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from form_samples import draw, write_csv, write_json


@pytest.fixture
def folder(tmp_path):
    for number in range(4):
        draw(tmp_path / f"{number}.jpg", number)
    return tmp_path


def photo(number, of_file=None, *of_regions):
    regions = [{"shape_attributes": {"name": "rect"}, "region_attributes": one} for one in of_regions]
    return {"filename": f"{number}.jpg", "size": 9, "regions": regions, "file_attributes": of_file or {}}


def project(*photos, **attributes):
    metadata = {f"{number}.jpg9": one for number, one in enumerate(photos)}
    return {"_via_settings": {}, "_via_img_metadata": metadata, "_via_attributes": attributes}


def read(folder, value, name="via_project.json", **options):
    write_json(folder / name, value)
    with open_dataset(folder, options=DataOptions(**options)) as dataset:
        return dataset


def test_a_checkbox_with_one_tick_is_a_label(folder):
    ticks = [{"cat": True, "dog": False}, {"dog": True}, {"cat": True, "dog": True}, {}]
    dataset = read(folder, project(*(photo(number, {"animal": one}) for number, one in enumerate(ticks))))
    assert dataset.labels == ("cat", "dog")
    assert f"1 entry left out: {SEVERAL}" in dataset.notes
    assert "1 entry left out: no class on the image" in dataset.notes


def test_of_several_attributes_the_choice_is_the_label(folder):
    photos = [
        photo(number, {"place": f"wood {number}", "animal": label})
        for number, label in enumerate(["cat", "dog"])
    ]
    types = {
        "file": {"place": {"type": "text"}, "animal": {"type": "dropdown", "options": {"cat": "", "dog": ""}}}
    }
    assert read(folder, project(*photos, **types)).labels == ("cat", "dog")
    with pytest.raises(DataError, match=r"one attribute must hold the label.*'place', 'animal'; say which"):
        read(folder, project(*photos))
    assert read(folder, project(*photos), label_column="animal").labels == ("cat", "dog")


def test_regions_serve_where_the_file_says_nothing(folder):
    cat, dog = {"animal": "cat"}, {"animal": "dog"}
    value = project(photo(0, {}, cat, cat), photo(1, {}, dog), photo(2, {}, cat, dog), photo(3))
    assert read(folder, value).labels == ("cat", "dog")


def test_a_person_may_name_the_regions_attribute(folder):
    value = project(
        photo(0, {"light": "day"}, {"animal": "cat"}), photo(1, {"light": "day"}, {"animal": "dog"})
    )
    assert read(folder, value, label_column="animal").labels == ("cat", "dog")


def test_its_annotations_alone_and_those_of_version_1(folder):
    value = project(photo(0, {"animal": "cat"}), photo(1, {"animal": "dog"}))["_via_img_metadata"]
    assert read(folder, value, "via_export_json.json").labels == ("cat", "dog")
    for one in value.values():
        one["regions"] = {
            "0": {"shape_attributes": {}, "region_attributes": {"species": one["file_attributes"]["animal"]}}
        }
        one["file_attributes"] = {}
    assert read(folder, value, "via_export_json.json").labels == ("cat", "dog")


def test_csv_of_version_1_begins_with_a_hash_and_bad_cells_are_named(folder):
    header = ["#filename", "file_size", "file_attributes", "region_count", "region_id"]
    rows = [
        [f"{number}.jpg", 9, text, 0, 0, "{}", "{}"]
        for number, text in enumerate(
            [json.dumps({"animal": "cat"}), json.dumps({"animal": "dog"}), "{", "[]"]
        )
    ]
    write_csv(
        folder / "via_export_csv.csv", [[*header, "region_shape_attributes", "region_attributes"], *rows]
    )
    with open_dataset(folder) as dataset:
        assert dataset.labels == ("cat", "dog")
        assert [refusal.path.rpartition(", ")[2] for refusal in dataset.refused] == ["row 3", "row 4"]


def test_an_image_that_is_none_is_named(folder):
    value = project(photo(0, {"animal": "cat"}), photo(1, {"animal": "dog"}), 7, {"filename": 3})
    assert [one.path.rpartition(", ")[2] for one in read(folder, value).refused] == ["image 3", "image 4"]


@pytest.mark.parametrize(
    "types", [7, {"file": 7}, {"file": {"animal": 7}}, {"file": {"animal": {"type": ["radio"]}}}]
)
def test_types_that_are_none_are_no_matter(folder, types):
    value = project(photo(0, {"animal": "cat"}), photo(1, {"animal": "dog"}))
    assert read(folder, {**value, "_via_attributes": types}).labels == ("cat", "dog")
