"""Which column is which: by a person's word, by what cells hold, by names, by what is left."""

from pathlib import Path

import pytest

from fieldguide.data.forms.columns import find_columns
from fieldguide.data.table_formats import Cells
from fieldguide.errors import DataError

FILE = Path("t.csv")


def found(header, *rows, named=None, certain=False):
    cells = Cells(tuple(header), lambda: iter(rows), header_is_certain=certain)
    return find_columns(cells, lambda name: str(name).endswith(".jpg"), named or {}, FILE)


def test_the_column_of_images_is_the_one_whose_cells_are_images():
    columns = found(("name", "where", "breed"), ("Rex", "a.jpg", "beagle"), ("Bo", "b.jpg", "poodle"))
    assert (columns.path, columns.label, columns.found) == (1, 2, 1.0)


def test_a_name_counts_where_no_image_exists():
    columns = found(("file", "label"), ("gone.png", "cat"))
    assert (columns.path, columns.label, columns.found) == (0, 1, 0.0)
    assert found(("x", "y2"), ("1", "2")) is None


def test_the_only_column_that_repeats_is_taken_and_doubted():
    rows = [(f"{n}.jpg", f"note {n}", "ab"[n % 2]) for n in range(8)]
    columns = found(("image", "remark", "Sorte"), *rows)
    assert columns.label == 2
    assert columns.doubts[0].code == "column_guessed"
    assert "'Sorte'" in columns.doubts[0].message


def test_two_that_repeat_are_left_to_the_person():
    rows = [(f"{n}.jpg", "xy"[n % 2], "ab"[n // 4]) for n in range(8)]
    assert found(("image", "one", "two"), *rows).label is None
    assert found(("image", "one", "two"), *rows, named={"label": "TWO"}).label == 2


def test_a_number_beside_its_name_is_no_doubt_and_another_column_is():
    rows = [(f"{n}.jpg", "ab"[n % 2], str(n % 2)) for n in range(8)]
    assert found(("image", "label", "label_id"), *rows).doubts == ()
    others = [(f"{n}.jpg", "ab"[n % 2], "xy"[n // 4]) for n in range(8)]
    assert "'label', 'species'" in found(("image", "label", "species"), *others).doubts[0].message


def test_a_first_line_that_is_an_image_is_no_header():
    columns = found(("a.jpg", "0", "train"), ("b.jpg", "1", "test"), ("c.jpg", "0", "train"))
    assert (columns.has_header, columns.path, columns.label, columns.split) == (False, 0, 1, 2)
    assert not found(("a.jpg", "0"), ("b.jpg", "1"), certain=True).doubts


def test_splits_and_groups_are_found_by_name_and_content():
    rows = [("a.jpg", "x", "Training", "p1"), ("b.jpg", "y", "Test", "p2")]
    columns = found(("image", "label", "subset", "patient_id"), *rows)
    assert (columns.split, columns.group) == (2, 3)
    assert found(("image", "label", "set"), ("a.jpg", "x", "winter"), ("b.jpg", "y", "summer")).split is None


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(
        DataError, match="--label-column must be one of its columns, which are 'image'; got 'x'"
    ):
        found(("image",), ("a.jpg",), named={"label": "x"})
