"""Which names mean train, validation and test."""

import pytest

from fieldguide.data.split_names import (
    SplitChoice,
    hints_at_split,
    means_nothing_else,
    read_choice,
    split_of,
    splits_among,
)
from fieldguide.errors import OptionError

TRAIN = (
    "train Train TRAIN training Training_Set training-set TrainSet trainset train_images trainimages "
    "train2017 trn x_train train-224x224 training.data trainval train_val"
)
VALIDATION = "val valid VALIDATION dev Dev_Set val2017 validation-images devset"
TEST = "test Testing tst test1 TEST_IMAGES eval evaluation holdout hold-out Hold_Out HoldOut held_out testset"
NONE = (
    "invalid cat testbench test_bench train_station trains protest latest contest attest devil evaluate_me 7"
)


@pytest.mark.parametrize(
    ("names", "split"), [(TRAIN, "train"), (VALIDATION, "validation"), (TEST, "test"), (NONE, None)]
)
def test_names(names, split):
    assert {name: split_of(name) for name in names.split()} == dict.fromkeys(names.split(), split)


def test_spaces_count_like_dashes():
    assert split_of("Training Images") == "train"
    assert split_of(" test ") == "test"


def test_what_all_names_begin_with_is_passed_over_and_a_difference_is_not():
    assert splits_among(["seg_train", "seg_test", "seg_pred"]) == {"seg_train": "train", "seg_test": "test"}
    assert splits_among(["train cats", "test dogs"]) == {}
    assert splits_among(["val", "test", "cat"]) == {}


def test_what_only_holds_classes():
    assert all(map(means_nothing_else, ["images", "seg_train".removeprefix("seg_"), "data", "2017"]))
    assert not means_nothing_else("cat images")


def test_hints():
    assert all(map(hints_at_split, ["fold_3", "fold3", "part b", "test bench", "set2"]))
    assert not any(map(hints_at_split, ["cat", "2019", "left"]))


def test_choices():
    assert SplitChoice.of(None) == SplitChoice()
    assert SplitChoice.of(False).ignored
    assert SplitChoice.of({"train": ["a", "b"], "val": "c"}).named == {
        "a": "train",
        "b": "train",
        "c": "validation",
    }
    assert read_choice("train=a,b,test=c=d").named == {"a,b": "train", "c=d": "test"}
    assert SplitChoice({"A": "train"}).split_of("train") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("trian=a", "must be train=NAME"),
        ("train=", "must be train=NAME"),
        ("test=a", "must say which is train"),
        ("train=a,test=a", "one split only"),
    ],
)
def test_choices_that_are_none(text, reason):
    with pytest.raises(OptionError, match=reason):
        read_choice(text)
