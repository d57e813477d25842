"""Pascal VOC: parts that are splits, difficult objects, XML with names that no longer fit."""

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms.annotations.pascal_voc import DIFFICULT
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import EITHER
from form_samples import LABELS, draw, draw_all, pascal_voc_xml, voc_xml


def read(folder, task=None):
    with open_dataset(folder, options=DataOptions(task=task), tasks=EITHER) as dataset:
        return dataset


def lists(folder, **signs):
    main = folder / "VOC2012/ImageSets/Main"
    main.mkdir(parents=True, exist_ok=True)
    for name, lines in signs.items():
        (main / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))


def test_train_and_val_are_splits_and_trainval_is_not_read_twice(tmp_path):
    draw_all(tmp_path / "VOC2012/JPEGImages")
    lists(
        tmp_path,
        cat_train=["a1  1", "b1 -1"],
        cat_val=["a2  1", "b2 -1"],
        cat_trainval=["a1  1", "b1 -1", "a2  1", "b2 -1"],
        dog_train=["a1 -1", "b1  1"],
        dog_val=["a2 -1", "b2  1"],
        dog_trainval=["a1 -1", "b1  1", "a2 -1", "b2  1"],
        train=["a1", "b1"],
    )
    dataset = read(tmp_path)
    assert list(zip(dataset.labels, dataset.splits, strict=True)) == [
        ("cat", "train"),
        ("dog", "train"),
        ("cat", "validation"),
        ("dog", "validation"),
    ]


def test_several_none_and_difficult_are_counted(tmp_path):
    draw_all(tmp_path / "VOC2012/JPEGImages")
    lists(
        tmp_path,
        cat_trainval=["a1  1", "a2  1", "a3  0", "b1 -1", "b2  0", "b3 -1"],
        dog_trainval=["a1  1", "a2 -1", "a3 -1", "b1  1", "b2  1", "b3 -1"],
    )
    dataset = read(tmp_path)
    assert dataset.labels == ("cat", "dog", "dog")
    assert f"1 entry left out: {DIFFICULT}" in dataset.notes
    assert "1 entry left out: no class on the image" in dataset.notes
    assert "1 image of one class with difficult objects of others: these do not count" in dataset.notes


def test_as_tags_what_only_difficult_objects_show_is_not_known(tmp_path):
    draw_all(tmp_path / "VOC2012/JPEGImages")
    lists(
        tmp_path,
        cat_trainval=["a1  1", "a2  1", "a3  0", "b1 -1", "b2  0", "b3 -1"],
        dog_trainval=["a1  1", "a2 -1", "a3 -1", "b1  1", "b2  1", "b3 -1"],
    )
    by_lists = read(tmp_path, "multiple")
    assert by_lists.tags == (
        Tags(("cat", "dog")),
        Tags(("cat",)),
        Tags((), ("cat",)),
        Tags(("dog",)),
        Tags(("dog",), ("cat",)),
        Tags(),
    )
    assert "6 images, 3 with one of 2 classes" in by_lists.notes[0]
    assert any(note.endswith("as a tag, each of these is not known") for note in by_lists.notes)


def test_as_tags_what_a_list_lacks_is_not_known_if_it_says_absence(tmp_path):
    draw_all(tmp_path / "VOC2012/JPEGImages")
    lists(tmp_path, cat_trainval=["a1 1", "b1 -1", "b2 x"], dog_trainval=["b1 1", "b2 1"])
    assert read(tmp_path, "multiple").tags == (Tags(("cat",)), Tags(("dog",)), Tags(("dog",), ("cat",)))


def test_as_tags_difficult_objects_of_xml_files_are_not_known(tmp_path):
    draw_all(tmp_path)
    texts = {
        "a1": voc_xml("a1", "cat", "dog"),
        "a2": voc_xml("a2", "cat", "cat").replace("<difficult>0", "<difficult>1", 1),
        "a3": voc_xml("a3", "cat").replace("<difficult>0", "<difficult>1"),
        "b1": voc_xml("b1", "dog", "cat").replace("<difficult>0", "<difficult>1", 1),
        "b2": voc_xml("b2"),
    }
    for stem, text in texts.items():
        (tmp_path / f"{stem}.xml").write_text(text)
    assert read(tmp_path, "multiple").tags == (
        Tags(("cat", "dog")),
        Tags(("cat",)),
        Tags((), ("cat",)),
        Tags(("cat",), ("dog",)),
        Tags(),
    )


def test_a_line_that_is_none_is_named(tmp_path):
    draw_all(tmp_path / "VOC2012/JPEGImages")
    lists(tmp_path, cat_trainval=["a1 1", "b1 2", "a2"], dog_trainval=["b1 1"])
    refused = [refusal.path.rpartition("/")[2] for refusal in read(tmp_path).refused]
    assert refused == ["cat_trainval.txt, line 2", "cat_trainval.txt, line 3"]


def test_splits_of_the_xml_files_by_list_or_by_folder(tmp_path):
    pascal_voc_xml(tmp_path / "a")
    main = tmp_path / "a/ImageSets/Main"
    main.mkdir(parents=True)
    (main / "train.txt").write_text("a1\nb1\n")
    (main / "test.txt").write_text("a2\n")
    dataset = read(tmp_path / "a")
    assert dataset.splits == ("train", "test", "train")
    assert "3 entries left out: in no list of ImageSets/Main" in dataset.notes
    for split, stems in (("train", ("a1", "b1")), ("valid", ("a2",))):
        for stem in stems:
            draw(tmp_path / "b" / split / f"{stem}.jpg")
            (tmp_path / "b" / split / f"{stem}.xml").write_text(voc_xml(stem, LABELS[stem]))
    assert read(tmp_path / "b").splits == ("train", "train", "validation")


def test_a_name_that_no_longer_fits_gives_way_to_the_files_own(tmp_path):
    for stem, label in (("x", "cat"), ("y", "dog")):
        draw(tmp_path / f"{stem}.png")
        (tmp_path / f"{stem}.xml").write_text(voc_xml("IMG_0001", label))
    assert read(tmp_path).labels == ("cat", "dog")


def test_objects_of_several_classes_and_difficult_ones(tmp_path):
    draw_all(tmp_path)
    texts = {
        "a1": voc_xml("a1", "cat", "dog"),
        "a2": voc_xml("a2"),
        "a3": voc_xml("a3", "cat").replace("<difficult>0", "<difficult>1"),
        "b1": voc_xml("b1", "cat"),
        "b2": voc_xml("b2", "dog"),
        "b3": voc_xml("b3", "dog").replace("<name>dog</name>", ""),
    }
    for stem, text in texts.items():
        (tmp_path / f"{stem}.xml").write_text(text)
    dataset = read(tmp_path)
    assert dataset.labels == ("cat", "dog")
    assert f"1 entry left out: {DIFFICULT}" in dataset.notes
    assert dataset.refused[0].path.endswith("b3.xml, object 1")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_in_every_encoding(tmp_path, encoding):
    pascal_voc_xml(tmp_path)
    bomb = f"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x 'lol'>]>{voc_xml('a1', '&x;')}"
    (tmp_path / "Annotations/a1.xml").write_bytes(bomb.encode(encoding))
    if encoding == "utf-8":
        dataset = read(tmp_path)
        assert "must not declare entities" in dataset.refused[0].message
        assert len(dataset) == 5
    else:  # not recognised as one of VOC's, and so not read
        assert len(read(tmp_path)) == 5


def test_no_xml_that_can_be_read_is_an_error(tmp_path):
    draw(tmp_path / "a.jpg")
    (tmp_path / "a.xml").write_text("<annotation><object>")
    with pytest.raises(DataError, match="1 refused, first"):
        read(tmp_path)
