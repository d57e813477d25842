from pathlib import Path

from fieldguide.data.dataset import Dataset
from shown_html import text_of


def test_a_data_set_shows_its_classes_and_counts(data):
    assert repr(data).splitlines() == [
        "photos: 39 images, 3 classes",
        "  blue: 12",
        "  green: 13",
        "  red: 14",
    ]
    shown = data._repr_html_()
    assert "photos: 39 images, 3 classes" in text_of(shown) and shown.count("<img") == 24


def test_splits_are_columns_and_what_is_hostile_is_text():
    dataset = Dataset(Path(), ("a", "b"), ("<i>x", "<i>x"), ("train", "test"), name="\x1b[2Jd")
    assert "\x1b" not in repr(dataset)
    shown = text_of(dataset._repr_html_())
    assert "<i>x" in shown and "traintest" in shown and "\x1b" not in shown


def test_of_many_classes_the_first_are_shown():
    labels = tuple(f"{number:02}" for number in range(40))
    assert len(repr(Dataset(Path(), labels, labels)).splitlines()) == 14


def test_rows_and_a_plot(data):
    frame = data.to_pandas()
    assert list(frame.columns) == ["path", "label"] and len(frame) == 39
    assert [text.get_text() for text in data.plot().get_yticklabels()] == ["red", "green", "blue"]
