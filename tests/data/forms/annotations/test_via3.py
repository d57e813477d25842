"""Projects of VGG Image Annotator 3: options, checkboxes, regions, views of several files, videos."""

import json
from pathlib import Path

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.options import DataOptions
from form_samples import LABELS, via3


def read(folder, change, **options):
    via3(folder)
    value = json.loads((folder / "pets.json").read_text())
    change(value)
    (folder / "pets.json").write_text(json.dumps(value))
    with open_dataset(folder, minimum_classes=1, options=DataOptions(**options)) as dataset:
        return dataset


def test_an_attribute_of_regions_may_be_meant(tmp_path):
    dataset = read(tmp_path, lambda value: None, label_column="part")
    assert dataset.classes == ("ear",)
    assert "region attribute 'part'" in dataset.notes[0]


@pytest.mark.parametrize(("ticked", "count"), [("0", 6), ("0,1", 5), ("", 5), ("7", 5), (None, 5)])
def test_of_a_checkbox_one_option_is_a_class_and_several_are_tags(tmp_path, ticked, count):
    def tick(value):
        value["attribute"]["2"]["type"] = 2
        value["metadata"]["1_whole"]["av"]["2"] = ticked

    assert len(read(tmp_path, tick)) == count


def test_text_is_a_class_where_no_attribute_has_options(tmp_path):
    def write(value):
        value["attribute"]["2"] |= {"type": 1, "options": {}}
        for number, label in enumerate(LABELS.values(), start=1):
            value["metadata"][f"{number}_whole"]["av"]["2"] = label

    assert read(tmp_path, write).classes == ("cat", "dog")


def test_videos_and_views_of_several_images_are_counted(tmp_path):
    def change(value):
        value["file"]["1"]["type"] = 4
        value["view"]["2"]["fid_list"] = [2, 3]
        value["file"]["4"].pop("fname")
        value["metadata"]["5_whole"] = 7

    dataset = read(tmp_path, change)
    assert [Path(path).stem for path in dataset.paths] == ["b3"]
    assert any("1 entry left out: a video or a sound" in note for note in dataset.notes)
    assert any("2 entries left out: in a view of several images" in note for note in dataset.notes)
    assert [refusal.path.rpartition(", ")[2] for refusal in dataset.refused] == ["file 4"]
