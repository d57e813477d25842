"""YOLO: names in every way, splits inside and around, several classes, class folders left alone."""

import builtins

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError
from form_samples import LABELS, draw, draw_all, yolo

BOX = "0.5 0.5 0.2 0.2"


def read(folder):
    with open_dataset(folder) as dataset:
        return dataset


def labels(folder, **texts):
    folder.mkdir(parents=True, exist_ok=True)
    for stem, text in texts.items():
        (folder / f"{stem}.txt").write_text(text)


@pytest.mark.parametrize(
    "names", ["names: ['cat', 'dog']", "names:\n- cat\n- dog", "nc: 2\nnames: {0: cat, 1: dog}"]
)
def test_names_as_a_list_or_by_number(tmp_path, names):
    yolo(tmp_path)
    (tmp_path / "data.yaml").write_text(f"train: ../train/images\n{names}\n")
    assert read(tmp_path).classes == ("cat", "dog")
    assert read(tmp_path / "data.yaml").classes == ("cat", "dog")


def test_roboflows_splits_around_images_and_labels(tmp_path):
    for split in ("train", "valid", "test"):
        for number, stem in enumerate(("a", "b")):
            draw(tmp_path / split / f"images/{stem}.jpg", number)
        labels(tmp_path / split / "labels", a=f"0 {BOX}\n", b=f"1 {BOX}\n")
    (tmp_path / "data.yaml").write_text("names: [cat, dog]\n")
    assert read(tmp_path).splits == ("test",) * 2 + ("train",) * 2 + ("validation",) * 2


def test_darknets_texts_beside_the_photos(tmp_path):
    draw_all(tmp_path / "obj_train_data")
    labels(
        tmp_path / "obj_train_data",
        **{stem: f"{int(label == 'dog')} {BOX}" for stem, label in LABELS.items()},
    )
    (tmp_path / "obj.names").write_text("cat\ndog\n")
    (tmp_path / "train.txt").write_text("data/obj_train_data/a1.jpg\n")
    assert len(read(tmp_path)) == 6


def test_what_is_left_out_is_counted_and_what_is_wrong_is_named(tmp_path):
    for number in range(8):
        draw(tmp_path / f"images/{number}.jpg", number)
    texts = {"0": f"0 {BOX}", "1": f"1 {BOX}", "2": f"0 {BOX}\n1 {BOX}", "3": "", "4": f"9 {BOX}", "5": "cat"}
    labels(tmp_path / "labels", **texts, gone=f"0 {BOX}")
    (tmp_path / "data.yaml").write_text("names: [cat, dog]\n")
    dataset = read(tmp_path)
    assert dataset.labels == ("cat", "dog")
    assert "2 entries left out: no text file of boxes" in dataset.notes
    assert "1 entry left out: no object on the image" in dataset.notes
    named = [refusal.path.rpartition("/")[2] for refusal in dataset.refused]
    assert named == ["4.txt, line 1", "5.txt, line 1", "gone.jpg"]


def test_polygons_are_shapes_of_a_class_as_well(tmp_path):
    yolo(tmp_path)
    labels(tmp_path / "labels/train", a1="0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2\n")
    assert len(read(tmp_path)) == 6


@pytest.mark.parametrize(
    "text", ["names: 7\n", "names:\n", "names: [cat, [dog]]\n", "names: [cat\n", "names: {a: b}\n"]
)
def test_names_that_are_none(tmp_path, text):
    yolo(tmp_path)
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(DataError, match=r"data\.yaml: "):
        read(tmp_path)


def test_class_folders_of_yolos_classification_stay_class_folders(tmp_path):
    for split in ("train", "val", "test"):
        for label in ("cat", "dog"):
            draw(tmp_path / split / label / "1.jpg")
    (tmp_path / "data.yaml").write_text("names: [a, b]\n")
    dataset = read(tmp_path)
    assert dataset.classes == ("cat", "dog")
    assert set(dataset.splits) == {"train", "validation", "test"}


def test_without_pyyaml_the_way_is_said(tmp_path, monkeypatch):
    yolo(tmp_path)
    real = builtins.__import__

    def without(name, *args):
        if name == "yaml":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match="needs the package pyyaml, which is not installed; run: pip install"):
        read(tmp_path)
