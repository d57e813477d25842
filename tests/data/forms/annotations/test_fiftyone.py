"""FiftyOne's labels.json: numbers, names, lists, and what is none."""

import pytest

from fieldguide.data.dataset import open_dataset
from form_samples import draw_all, write_json


@pytest.fixture
def data(tmp_path):
    draw_all(tmp_path / "data")
    return tmp_path


def test_labels_as_numbers_as_text_and_with_a_confidence(data):
    labels = {
        "a1": 0,
        "a2": "cat",
        "b1": {"label": "dog", "confidence": 0.9},
        "b2": None,
        "b3": ["cat", "dog"],
    }
    write_json(data / "labels.json", {"classes": ["cat", "dog", "emu"], "labels": labels})
    with open_dataset(data) as dataset:
        assert dataset.labels == ("cat", "cat", "dog")
        notes = " ".join(dataset.notes)
        assert "no label" in notes and "tags" in notes
        assert "'emu'" in notes  # declared, without photos


@pytest.mark.parametrize("label", [7, -1, True])
def test_a_number_without_a_class_is_refused(data, label):
    write_json(data / "labels.json", {"classes": ["cat", "dog"], "labels": {"a1": 0, "b1": 1, "b2": label}})
    with open_dataset(data) as dataset:
        assert [refusal.code for refusal in dataset.refused] == ["damaged_row"]
