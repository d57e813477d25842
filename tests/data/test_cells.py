"""What may stand in a cell."""

import pytest

from fieldguide.data.cells import shown, text_of, word_of
from fieldguide.errors import DataError


@pytest.mark.parametrize(
    ("cell", "text"), [("cat", "cat"), (3, "3"), (None, ""), (float("nan"), ""), (True, "True"), (1.5, "1.5")]
)
def test_text(cell, text):
    assert text_of(cell) == text


@pytest.mark.parametrize("cell", [["a", "b"], {"name": "a"}, b"cat", ("a",)])
def test_no_label(cell):
    with pytest.raises(DataError, match="row 3: a label must be text or a number, got "):
        word_of(cell, "t.jsonl, row 3", "label")


def test_code_pages():
    assert word_of("H\udcfcte", "t.csv, row 1", "label") == "Hüte"
    with pytest.raises(DataError, match="save the table as UTF-8"):
        word_of("\udcea\udcee\udcf8", "t.csv, row 1", "label")


@pytest.mark.parametrize(
    "cell", ["x" * 10**6, [1] * 10**6, {"bytes": b"x" * 10**6}, {str(i): i for i in range(99)}]
)
def test_never_more_than_a_shortened_cell(cell):
    assert len(shown(cell)) < 120
    with pytest.raises(DataError) as error:
        word_of([cell], "t.jsonl, row 1", "label")
    assert len(str(error.value)) < 300
