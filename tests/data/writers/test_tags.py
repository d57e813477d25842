"""Tags written out and dealt into splits, and read back."""

from pathlib import Path

import pytest

import fieldguide
from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.options import DataOptions
from fieldguide.data.writers import write_dataset
from fieldguide.errors import OptionError, OutputError
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import EITHER, Task
from tags_made import write_tagged


@pytest.fixture
def table(tmp_path):
    return write_tagged(tmp_path / "data", 40)


def read(path):
    with open_dataset(path, tasks=EITHER) as dataset:
        return dataset


def test_a_table_is_read_back_as_it_was(table, tmp_path):
    fieldguide.convert(table, to="table", out=tmp_path / "out", progress=False)
    again = read(tmp_path / "out")
    assert again.tags == read(table).tags
    assert (tmp_path / "out" / "labels.csv").read_text().startswith('"path","labels"')


def test_what_is_not_known_stays_so(table, tmp_path):
    known = read(table)
    tags = (Tags(("red",), ("blue",)), *known.tags[1:])
    dataset = Dataset(known.root, known.paths, known.labels, tags=tags)
    write_dataset(dataset, "table", tmp_path / "out")
    assert read(tmp_path / "out").tags == tags


def test_a_tag_that_holds_the_mark_is_joined_by_another(table, tmp_path):
    known = read(table)
    tags = tuple(Tags.of(name.replace("red", "red|ish") for name in one.present) for one in known.tags)
    write_dataset(Dataset(known.root, known.paths, known.labels, tags=tags), "table", tmp_path / "out")
    assert ";" in (tmp_path / "out" / "labels.csv").read_text()


FORMS = ["one-hot", "coco", "cvat", "fiftyone", "label-studio", "imagefolder"]


@pytest.mark.parametrize("form", FORMS)
def test_a_form_with_several_labels_a_photo_is_read_back_as_it_was(form, table, tmp_path):
    fieldguide.convert(table, to=form, out=tmp_path / "out", progress=False)
    own = {"one-hot": "one-hot"}.get(form)
    with open_dataset(
        tmp_path / "out", options=DataOptions(form=own, task=Task.MULTIPLE), tasks=EITHER
    ) as again:
        assert not again.refused
        found = {Path(path).name: tags for path, tags in zip(again.paths, again.tags, strict=True)}
    known = read(table)
    wanted = {Path(path).name: tags for path, tags in zip(known.paths, known.tags, strict=True)}
    assert found == wanted
    assert Tags() in wanted.values()  # a photo without any tag is among them


@pytest.mark.parametrize("form", FORMS[1:])
def test_a_form_that_cannot_say_what_is_not_known_refuses(form, table, tmp_path):
    known = read(table)
    tags = (Tags(("red",), ("blue",)), *known.tags[1:])
    dataset = Dataset(known.root, known.paths, known.labels, tags=tags)
    with pytest.raises(OptionError, match=f"--to {form}: cannot say that it is not known"):
        write_dataset(dataset, form, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_one_column_a_tag_holds_what_is_not_known(table, tmp_path):
    known = read(table)
    tags = (Tags(("red",), ("blue",)), *known.tags[1:])
    write_dataset(Dataset(known.root, known.paths, known.labels, tags=tags), "one-hot", tmp_path / "out")
    assert (tmp_path / "out" / "labels.csv").read_text().splitlines()[1].endswith(',"",0,1')
    assert read(tmp_path / "out").tags == tags


def test_a_tag_called_as_a_column_has_no_column(table, tmp_path):
    known = read(table)
    tags = tuple(Tags.of(name.replace("red", "Path") for name in one.present) for one in known.tags)
    with pytest.raises(OutputError, match="must not be called as a column of the table is, got 'Path'"):
        write_dataset(Dataset(known.root, known.paths, known.labels, tags=tags), "one-hot", tmp_path / "out")


def test_splits_stay_in_forms_that_have_some(table, tmp_path):
    fieldguide.split(table, test=0.25, out=table.parent / "splits.csv", progress=False)
    for form in ("coco", "imagefolder", "one-hot"):
        fieldguide.convert(table.parent / "splits.csv", to=form, out=tmp_path / form, progress=False)
        with open_dataset(tmp_path / form, options=DataOptions(task=Task.MULTIPLE), tasks=EITHER) as again:
            assert (again.splits.count("train"), again.splits.count("test")) == (30, 10), form


def test_class_folders_hold_one_label_and_refuse_tags(table, tmp_path):
    with pytest.raises(OptionError, match="--to folders: must have one label a photo here, got tags"):
        fieldguide.convert(table, to="folders", out=tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_label_studio_may_choose_several(table, tmp_path):
    fieldguide.convert(table, to="label-studio", out=tmp_path / "out", progress=False)
    assert 'choice="multiple"' in (tmp_path / "out" / "label_config.xml").read_text()


def test_splits_of_a_folder(table, tmp_path):
    parts = fieldguide.split(table, test=0.25, validation=0.125, out=tmp_path / "parts", progress=False)
    assert parts.counts == {"train": 25, "test": 10, "validation": 5}
    again = read(tmp_path / "parts")
    assert [again.splits.count(name) for name in ("train", "test", "validation")] == [25, 10, 5]
    assert again.select("test").classes == again.classes


def test_a_table_beside_the_photos(table):
    fieldguide.split(table, test=0.25, out=table.parent / "splits.csv", progress=False)
    again = read(table.parent / "splits.csv")
    assert set(again.splits) == {"train", "test"}
    assert again.task == "multiple"
