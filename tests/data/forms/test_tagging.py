"""Several labels a photo: which data are read so, and how."""

import json

import pandas
import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.tagging import NOT_READ, TagCells, as_wanted, tag_cells
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import EITHER, Task
from form_samples import draw_all, write_csv
from tags_made import tags_of, write_lines, write_tagged


@pytest.fixture
def data(tmp_path):
    draw_all(tmp_path)
    return tmp_path


def opened(path, task=None, tasks=EITHER):
    with open_dataset(path, options=DataOptions(task=task), tasks=tasks) as dataset:
        return dataset


def shown(dataset):
    return [list(tags.present) for tags in dataset.tags]


def test_an_empty_cell_beside_a_models_guess_is_to_be_filled_in_and_no_answer(tmp_path):
    write_tagged(tmp_path, 8)
    table = tmp_path / "next.csv"
    cells = ["red|green", "|", "", "blue", " "]
    rows = [f"photos/00{number}.png,red,{cell}" for number, cell in enumerate(cells)]
    table.write_text("\n".join(["path,suggested,labels", *rows]))
    dataset = opened(table)
    assert shown(dataset) == [["green", "red"], [], ["blue"]]
    assert [refusal.code for refusal in dataset.refused] == ["unlabelled"] * 2
    assert "write | for none of them" in dataset.refused[0].message


@pytest.mark.parametrize("separator", ["|", ";"])
def test_a_column_labels_with_several_in_a_cell(tmp_path, separator):
    dataset = opened(write_tagged(tmp_path, 16, separator))
    assert dataset.task is Task.MULTIPLE
    assert shown(dataset) == [sorted(tags_of(number)) for number in range(16)]
    assert dataset.classes == ("blue", "green", "red")
    assert set(dataset.labels) == {""}
    assert any(f"tags separated by {separator!r}" in note for note in dataset.notes)


def test_lists_in_json_lines(tmp_path):
    write_tagged(tmp_path, 16)
    dataset = opened(write_lines(tmp_path, 16))
    assert shown(dataset) == [sorted(tags_of(number)) for number in range(16)]
    assert any("as lists" in note for note in dataset.notes)


def test_lists_in_a_frame_and_in_parquet(tmp_path):
    write_tagged(tmp_path, 16)
    paths = [str(tmp_path / "photos" / f"{number:03}.png") for number in range(16)]
    frame = pandas.DataFrame({"path": paths, "tags": [tags_of(number) for number in range(16)]})
    expected = [sorted(tags_of(number)) for number in range(16)]
    assert shown(opened(frame)) == expected
    frame["path"] = [f"photos/{number:03}.png" for number in range(16)]
    frame.to_parquet(tmp_path / "t.parquet")
    assert shown(opened(tmp_path / "t.parquet")) == expected
    frame.to_csv(tmp_path / "t.csv", index=False)  # lists as Python writes them
    assert shown(opened(tmp_path / "t.csv")) == expected


def test_a_column_labels_with_one_in_each_cell_is_single(data):
    write_csv(data / "t.csv", [["path", "labels"], ["a1.jpg", "cat"], ["b1.jpg", "dog"]])
    dataset = opened(data / "t.csv")
    assert (dataset.task, dataset.labels) == (Task.SINGLE, ("cat", "dog"))
    assert shown(opened(data / "t.csv", Task.MULTIPLE)) == [["cat"], ["dog"]]


def test_a_person_may_say_otherwise(data):
    write_csv(data / "t.csv", [["path", "label"], ["a1.jpg", "cat|dog"], ["b1.jpg", "dog"], ["b2.jpg", "x"]])
    assert opened(data / "t.csv").classes == ("cat|dog", "dog", "x")
    assert shown(opened(data / "t.csv", Task.MULTIPLE)) == [["cat", "dog"], ["dog"], ["x"]]


def test_three_tags_in_every_cell_do_not_hide_the_comma(data):
    write_csv(
        data / "t.csv", [["path", "labels"], ["a1.jpg", "a;b;c"], ["b1.jpg", "b;c;d"], ["b2.jpg", "a;b;d"]]
    )
    assert shown(opened(data / "t.csv")) == [["a", "b", "c"], ["b", "c", "d"], ["a", "b", "d"]]


def test_several_rows_of_a_photo_are_joined(data):
    write_csv(data / "t.csv", [["path", "tag"], ["a1.jpg", "cat"], ["a1.jpg", "sea"], ["b1.jpg", "dog"]])
    dataset = opened(data / "t.csv", Task.MULTIPLE)
    assert shown(dataset) == [["cat", "sea"], ["dog"]]
    assert any("1 row joined" in note for note in dataset.notes)


def test_one_column_a_tag(data):
    rows = [["a1.jpg", 1, 1, 0], ["a2.jpg", 0, 0, 0], ["b1.jpg", 1, "", 0], ["b2.jpg", 0, -1, 1]]
    write_csv(data / "t.csv", [["filename", "cat", "dog", "sea"], *rows])
    dataset = opened(data / "t.csv")
    assert dataset.tags == (
        Tags(("cat", "dog")),
        Tags(),
        Tags(("cat",), ("dog",)),
        Tags(("sea",), ("dog",)),
    )
    assert any("taken as not known" in note for note in dataset.notes)


def test_minus_one_alone_is_absence(data):  # CelebA
    write_csv(data / "t.csv", [["image_id", "cat", "dog"], ["a1.jpg", 1, 1], ["b1.jpg", -1, 1]])
    assert opened(data / "t.csv").tags == (Tags(("cat", "dog")), Tags(("dog",)))


def test_a_rare_row_with_several_is_a_slip(data):
    rows = [
        [f"{letter}{number}.jpg", int(letter == "a"), int(letter == "b")]
        for letter in "ab"
        for number in (1, 2, 3)
    ]
    write_csv(data / "t.csv", [["filename", "cat", "dog"], *rows * 20, ["a1.jpg", 1, 1]])
    assert opened(data / "t.csv").task is Task.SINGLE


def test_who_does_not_say_that_he_handles_tags_is_given_none(tmp_path):
    table = write_tagged(tmp_path, 8)
    with pytest.raises(DataError, match="must have one label a photo here, got tags"):
        opened(table, tasks=(Task.SINGLE,))
    dataset = opened(table)
    with pytest.raises(DataError, match="got tags"), open_dataset(dataset):
        pass


def test_single_is_refused_where_cells_are_lists(tmp_path):
    write_tagged(tmp_path, 8)
    with pytest.raises(DataError, match="say --task multiple if they are tags"):
        opened(write_lines(tmp_path, 8), Task.SINGLE)


def test_a_form_that_keeps_one_label_is_no_source_of_tags(tmp_path):
    records = Records("a form", tmp_path, [Record(1, "a.jpg", "cat")])
    assert as_wanted(records, Task.MULTIPLE).records[0].tags == Tags(("cat",))
    records.left_out[f"several species, {NOT_READ}"] += 1
    with pytest.raises(DataError, match="not read as tags from this form yet"):
        as_wanted(records, Task.MULTIPLE)


def test_coco_and_others_keep_all_their_classes(data):
    annotations = [(1, 1), (1, 2), (2, 2)]
    coco = {
        "images": [
            {"id": 1, "file_name": "a1.jpg"},
            {"id": 2, "file_name": "b1.jpg"},
            {"id": 3, "file_name": "b2.jpg"},
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"id": number, "image_id": image, "category_id": category, "bbox": [0, 0, 5, 5]}
            for number, (image, category) in enumerate(annotations)
        ],
    }
    (data / "coco.json").write_text(json.dumps(coco))
    assert shown(opened(data / "coco.json", Task.MULTIPLE)) == [["cat", "dog"], ["dog"], []]


def test_how_a_column_is_written():
    assert tag_cells("labels", ["a|b", "c;d"], None).separator == "|"
    assert tag_cells("labels", ["a", "b"], None) is None
    assert tag_cells("label", ["a|b"], None) is None
    assert tag_cells("labels", ["a|b"], Task.SINGLE) is None
    assert tag_cells("label", ["a", None], Task.MULTIPLE) == TagCells(None, lists=False)


def test_an_object_in_a_cell_is_refused():
    with pytest.raises(DataError, match="row 1: a tag must be text"):
        TagCells(None, lists=True).read([{"a": 1}], "t.jsonl, row 1")
