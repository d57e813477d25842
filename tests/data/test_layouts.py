"""Which folder names are classes, and which are splits."""

import pytest

from fieldguide.data.layouts import read_layout
from fieldguide.data.scan import scan
from fieldguide.data.split_names import SplitChoice
from fieldguide.errors import DataError


def layout_of(root, *files, empty=(), **options):
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    for name in empty:
        (root / name).mkdir(parents=True)
    return read_layout(scan(root), **options)


def rows(layout):
    names = [path[len(layout.root) :].lstrip("/") for path in layout.paths]
    return dict(
        zip(names, zip(layout.labels, layout.splits or [None] * len(names), strict=True), strict=True)
    )


def test_class_folders_with_nested_ones(tmp_path):
    layout = layout_of(tmp_path, "cat/1.jpg", "cat/old/deep/2.jpg", "dog/3.jpg")
    assert rows(layout) == {
        "cat/1.jpg": ("cat", None),
        "cat/old/deep/2.jpg": ("cat", None),
        "dog/3.jpg": ("dog", None),
    }
    assert layout.splits is None
    assert layout.notes == []


@pytest.mark.parametrize(
    "names", [("train", "val"), ("Train", "VALID"), ("TRAIN", "validation"), ("train", "Test")]
)
def test_split_folders(tmp_path, names):
    train, other = names
    layout = layout_of(tmp_path, f"{train}/cat/1.jpg", f"{train}/dog/a/2.jpg", f"{other}/cat/3.jpg")
    split = "test" if other == "Test" else "validation"
    assert set(rows(layout).values()) == {("cat", "train"), ("dog", "train"), ("cat", split)}


def test_a_lone_class_called_test_is_a_class(tmp_path):
    layout = layout_of(tmp_path, "test/1.jpg", "test/big/2.jpg", "other/3.jpg")
    assert layout.splits is None
    assert set(layout.labels) == {"test", "other"}


def test_classes_called_train_and_test_among_others_are_classes(tmp_path):
    layout = layout_of(tmp_path, "train/1.jpg", "test/2.jpg", "car/3.jpg")
    assert set(layout.labels) == {"train", "test", "car"}


def test_train_alone_is_entered_like_any_only_folder(tmp_path):
    layout = layout_of(tmp_path, "train/cat/1.jpg", "train/dog/2.jpg")
    assert set(layout.labels) == {"cat", "dog"}
    assert layout.splits is None
    assert layout.notes == ["entered the only folder, 'train'"]


def test_a_chain_of_only_folders_is_entered(tmp_path):
    layout = layout_of(tmp_path, "clothing/v2/cat/1.jpg", "clothing/v2/dog/2.jpg", ".git/x.jpg")
    assert set(layout.labels) == {"cat", "dog"}
    assert layout.notes == ["entered the only folder, 'clothing/v2'"]


def test_an_only_folder_with_splits_is_entered(tmp_path):
    layout = layout_of(tmp_path, "data/train/cat/1.jpg", "data/train/dog/2.jpg", "data/test/cat/3.jpg")
    assert sorted(layout.splits) == ["test", "train", "train"]


def test_an_only_class_is_not_entered(tmp_path):
    assert layout_of(tmp_path, "cat/1.jpg", "cat/old/2.jpg", "cat/new/3.jpg").labels == ["cat"] * 3


def test_train_and_test_without_class_folders_stop_early(tmp_path):
    with pytest.raises(DataError, match="must hold one folder a class"):
        layout_of(tmp_path, "train/1.jpg", "test/2.jpg")
    assert len(read_layout(scan(tmp_path), unlabelled=True).paths) == 2


def test_strange_folders_beside_splits_are_said(tmp_path):
    layout = layout_of(
        tmp_path, "train/cat/1.jpg", "train/dog/2.jpg", "test/3.jpg", "test/cat/4.jpg", "extra/5.jpg", "6.jpg"
    )
    assert len(layout.paths) == 3
    assert layout.notes == [
        "1 image in '.' left out: it is not a split",
        "1 image in 'extra' left out: it is not a split",
        "1 image in no class folder left out: 'test/3.jpg'",
    ]


def test_val_and_validation_are_one_split(tmp_path):
    layout = layout_of(
        tmp_path, "train/cat/1.jpg", "val/cat/2.jpg", "validation/cat/3.jpg", "valid/cat/4.jpg"
    )
    assert sorted(layout.splits) == ["train"] + ["validation"] * 3


def test_loose_images_are_left_out_or_kept_unlabelled(tmp_path):
    layout = layout_of(tmp_path, "cat/1.jpg", "dog/2.jpg", "3.jpg")
    assert sorted(layout.labels) == ["cat", "dog"]
    assert layout.notes == ["1 image in no class folder left out: '3.jpg'"]
    assert sorted(read_layout(scan(tmp_path), unlabelled=True).labels) == ["", "cat", "dog"]


def test_empty_class_folders_are_named(tmp_path):
    layout = layout_of(tmp_path, "cat/deep/er/1.jpg", "dog/2.jpg", empty=("bird", "fish/deep"))
    assert layout.notes == ["2 class folders without images left out: 'bird', 'fish'"]


def test_empty_class_folders_of_a_split_are_named(tmp_path):
    layout = layout_of(tmp_path, "train/cat/1.jpg", "train/dog/2.jpg", "test/cat/3.jpg", empty=("test/dog",))
    assert layout.notes == ["1 class folder without images left out: 'test/dog'"]


def test_a_trailing_slash_and_a_relative_root_change_nothing(tmp_path, monkeypatch):
    layout_of(tmp_path, "train/cat/1.jpg", "train/dog/2.jpg", "test/cat/3.jpg")
    monkeypatch.chdir(tmp_path)
    for root in (f"{tmp_path}/", ".", "./", "train/.."):
        layout = read_layout(scan(root))
        assert sorted(layout.labels) == ["cat", "cat", "dog"]
        assert sorted(layout.splits) == ["test", "train", "train"]
    assert sorted(read_layout(scan("train")).labels) == ["cat", "dog"]


def of(layout):
    return sorted(set(zip(layout.splits or [None] * len(layout.labels), layout.labels, strict=True)))


@pytest.mark.parametrize(
    ("train", "other", "split"),
    [
        ("Training", "Testing", "test"),
        ("train_set", "test_set", "test"),
        ("TRAIN SET", "test-set", "test"),
        ("trn", "tst", "test"),
        ("train", "dev", "validation"),
        ("train", "eval", "test"),
        ("train", "hold-out", "test"),
        ("train_images", "val_images", "validation"),
        ("asl_alphabet_train", "asl_alphabet_test", "test"),
    ],
)
def test_layouts_of_others_are_read_as_splits(tmp_path, train, other, split):
    layout = layout_of(
        tmp_path, f"{train}/cat/1.jpg", f"{train}/dog/2.jpg", f"{other}/cat/3.jpg", f"{other}/dog/4.jpg"
    )
    assert of(layout) == sorted([("train", "cat"), ("train", "dog"), (split, "cat"), (split, "dog")])


def test_splits_that_hold_themselves_again_as_intel_s_images(tmp_path):
    layout = layout_of(
        tmp_path,
        "seg_train/seg_train/sea/1.jpg",
        "seg_train/seg_train/street/2.jpg",
        "seg_test/seg_test/sea/3.jpg",
        "seg_pred/seg_pred/4.jpg",
    )
    assert of(layout) == [("test", "sea"), ("train", "sea"), ("train", "street")]
    assert layout.notes == ["1 image in 'seg_pred' left out: it is not a split"]


def test_a_test_split_of_one_class_with_folders_of_its_own_keeps_it(tmp_path):
    layout = layout_of(
        tmp_path, "train/cat/1.jpg", "train/dog/2.jpg", "test/cat/old/3.jpg", "test/cat/new/4.jpg"
    )
    assert ("test", "cat") in of(layout)


def test_a_loose_image_in_train_is_named_and_the_rest_used(tmp_path):
    layout = layout_of(tmp_path, "train/cover.jpg", "train/cat/1.jpg", "train/dog/2.jpg", "val/cat/3.jpg")
    assert of(layout) == [("train", "cat"), ("train", "dog"), ("validation", "cat")]
    assert layout.notes == ["1 image in no class folder left out: 'train/cover.jpg'"]


def test_splits_inside_the_class_folders(tmp_path):
    layout = layout_of(tmp_path, "cat/train/1.jpg", "cat/test/2.jpg", "dog/train/3.jpg", "dog/test/4.jpg")
    assert of(layout) == [("test", "cat"), ("test", "dog"), ("train", "cat"), ("train", "dog")]


@pytest.mark.parametrize(
    "names", [("fold1", "fold2"), ("lernen", "pruefen"), ("train", "pruefung"), ("A", "B")]
)
def test_folders_that_look_like_splits_stop_and_name_the_way_out(tmp_path, names):
    files = [f"{name}/{label}/1.jpg" for name in names for label in ("cat", "dog")]
    with pytest.raises(DataError, match=r"may be splits or classes; say --splits train=\w+,test=\w+"):
        layout_of(tmp_path, *files)
    found = scan(tmp_path)
    first, second = names
    told = read_layout(found, splits=SplitChoice({first: "train", second: "test"}))
    assert of(told) == [("test", "cat"), ("test", "dog"), ("train", "cat"), ("train", "dog")]
    classes = read_layout(found, splits=SplitChoice(ignored=True))
    assert of(classes) == sorted([(None, first), (None, second)])


def test_train_with_class_folders_beside_loose_images_stops(tmp_path):
    with pytest.raises(DataError, match="--no-splits"):
        layout_of(tmp_path, "train/cat/1.jpg", "train/dog/2.jpg", "submit/3.jpg")


def test_the_same_years_below_all_classes_are_no_splits(tmp_path):
    layout = layout_of(tmp_path, "cat/2019/1.jpg", "cat/2020/2.jpg", "dog/2019/3.jpg", "dog/2020/4.jpg")
    assert of(layout) == [(None, "cat"), (None, "dog")]
    assert [doubt.code for doubt in layout.doubts] == ["folders_repeat"]


def test_named_splits_must_be_folders(tmp_path):
    with pytest.raises(DataError, match=r"must name folders in it, which are 'a', 'b'; got 'c'"):
        layout_of(tmp_path, "a/cat/1.jpg", "b/cat/1.jpg", splits=SplitChoice({"c": "train"}))


def test_a_flat_test_split_is_a_doubt(tmp_path):
    layout = layout_of(tmp_path, "train/cat/1.jpg", "train/dog/2.jpg", "test/3.jpg", "test/4.jpg")
    assert of(layout) == [("train", "cat"), ("train", "dog")]
    assert [(doubt.code, "'test'" in doubt.message) for doubt in layout.doubts] == [
        ("unlabelled_split", True)
    ]
