"""Tables as people have them: ids, no header, one a split, numbers with names, Excel, a sample submission."""

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError
from form_samples import LABELS, draw, draw_all, write_csv

ROWS = [[stem, label] for stem, label in LABELS.items()]


@pytest.fixture
def data(tmp_path):
    draw_all(tmp_path / "images")
    return tmp_path


def test_ids_without_endings_in_a_folder_beside(data):
    write_csv(data / "train.csv", [["id", "breed"], *ROWS])
    write_csv(data / "sample_submission.csv", [["id", "breed"], *[[stem, "cat"] for stem in LABELS]])
    with open_dataset(data) as dataset:
        assert dict(zip([path[-6:-4] for path in dataset.paths], dataset.labels, strict=True)) == LABELS
        assert any("6 images found by name" in note for note in dataset.notes)


def test_a_table_a_split(data):
    write_csv(data / "train.csv", [["image", "label"], *[[f"images/{s}.jpg", k] for s, k in ROWS[:4]]])
    write_csv(data / "test.csv", [["image", "label"], *[[f"images/{s}.jpg", k] for s, k in ROWS[4:]]])
    with open_dataset(data) as dataset:
        assert (
            dataset.splits == ("train",) * 4 + ("test",) * 2
            or sorted(dataset.splits) == ["test"] * 2 + ["train"] * 4
        )


def test_several_tables_are_left_to_the_person(data):
    for name in ("one.csv", "two.csv"):
        write_csv(data / name, [["image", "label"], *[[f"images/{s}.jpg", k] for s, k in ROWS]])
    with pytest.raises(DataError, match=r"one table, or one a split.*one\.csv, two\.csv"), open_dataset(data):
        pass


def test_numbers_get_names_from_a_list(data):
    write_csv(data / "t.csv", [["image", "label"], *[[f"images/{s}.jpg", int(k == "dog")] for s, k in ROWS]])
    (data / "classes.txt").write_text("cat\ndog\n", encoding="utf-8")
    with open_dataset(data / "t.csv") as dataset:
        assert dataset.classes == ("cat", "dog")
        assert "numbers got their names from 'classes.txt'" in dataset.notes


def test_excel(data):
    openpyxl = pytest.importorskip("openpyxl", reason="the extra excel is not installed")
    book = openpyxl.Workbook()
    for row in (["photo", "Art"], *ROWS):
        book.active.append(row)
    book.save(data / "t.xlsx")
    with open_dataset(data / "t.xlsx") as dataset:
        assert dataset.classes == ("cat", "dog")


def test_a_label_column_that_nothing_tells_is_asked_for(data):
    rows = [[f"images/{s}.jpg", k, "xy"[n % 2]] for n, (s, k) in enumerate(ROWS)]
    write_csv(data / "t.csv", [["image", "one", "two"], *rows])
    with pytest.raises(DataError, match="say which with --label-column"), open_dataset(data / "t.csv"):
        pass


def test_a_file_elsewhere_than_the_folder_that_the_row_names_is_another(data):
    (data / "cats").mkdir()
    write_csv(
        data / "t.csv", [["image", "label"], ["cats/a1.jpg", "cat"], ["old/a2.jpg", "cat"], ["b1.jpg", "dog"]]
    )
    with open_dataset(data / "t.csv") as dataset:
        assert [refusal.path for refusal in dataset.refused] == ["cats/a1.jpg"]
        assert len(dataset) == 2


@pytest.mark.parametrize("ending", ["", ".0"])
def test_numbers_that_lost_their_zeros_in_excel_are_found_and_said(tmp_path, ending):
    for number in range(6):
        draw(tmp_path / f"img/{number:05}.jpg", number)
    rows = "".join(f"{number}{ending},{'cat' if number % 2 else 'dog'}\n" for number in range(6))
    (tmp_path / "labels.csv").write_text("id,label\n" + rows)
    with open_dataset(tmp_path) as dataset:
        assert dataset.labels == ("dog", "cat") * 3
        assert [path[-9:] for path in dataset.paths] == [f"{number:05}.jpg" for number in range(6)]
        assert "6 images of these by number: the table has no zeros before it" in dataset.notes


def test_labels_that_are_numbers_are_no_images(tmp_path):
    for number in range(6):
        draw(tmp_path / f"img/{number:05}.jpg", number)
    rows = "".join(f"{number % 2},img/{number:05}.jpg\n" for number in range(6))
    (tmp_path / "labels.csv").write_text("y,file\n" + rows)
    with open_dataset(tmp_path) as dataset:
        assert dataset.labels == ("0", "1") * 3


def test_paths_as_an_address_has_them_are_found(tmp_path):
    for number in range(4):
        draw(tmp_path / f"img/my photo {number}.jpg", number)
    rows = "".join(f"img/my%20photo%20{number}.jpg,{'cat' if number % 2 else 'dog'}\n" for number in range(4))
    (tmp_path / "labels.csv").write_text("path,label\n" + rows)
    with open_dataset(tmp_path) as dataset:
        assert dataset.labels == ("dog", "cat") * 2
