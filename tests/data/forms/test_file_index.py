"""Names as tables write them, and the one file that each means."""

import pytest

from fieldguide.data.forms.file_index import AMBIGUOUS, FileIndex

PATHS = [
    "r/a.jpg",
    "r/x/a.jpg",
    "r/x/b.JPG",
    "r/y/b.jpg",
    "r/y/c.png",
    "r/y/c.jpg",
    "r/z/w.2.jpg",
    "r/é/d.jpg",
]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.jpg", "r/a.jpg"),
        ("x/a.jpg", "r/x/a.jpg"),
        ("C:\\old\\x\\a.jpg", "r/x/a.jpg"),
        ("b.jpg", AMBIGUOUS),
        ("Y/B.jpg", "r/y/b.jpg"),
        ("other/c.png", "r/y/c.png"),
        ("c", AMBIGUOUS),
        ("w.2", "r/z/w.2.jpg"),
        ("0a1b2c3d-c.png", "r/y/c.png"),
        ("e\u0301/d.jpg", "r/é/d.jpg"),
        ("x/c.png", None),
        ("..", None),
        ("y/../a.jpg", None),
        ("", None),
        (".", None),
        ("none.jpg", None),
    ],
)
def test_a_name_finds_its_file(name, path):
    assert FileIndex("r", PATHS).find(name) == path


def test_its_length_is_that_of_the_images():
    assert len(FileIndex("r", PATHS)) == 8


def test_a_number_finds_its_file_without_the_zeros_that_excel_took():
    paths = ["r/img/00007.jpg", "r/img/0100.jpg", "r/a/03.jpg", "r/b/3.jpg", "r/cat7.jpg"]
    index = FileIndex("r", paths)
    assert index.find_number("7") == index.find_number("7.0") == index.find_number("007") == paths[0]
    assert index.find_number("img/100") == paths[1]
    assert index.find_number("3") == AMBIGUOUS
    assert index.find_number("7.5") is index.find_number("cat7") is index.find_number("70") is None
    assert index.find_number("") is None


def test_of_files_of_one_name_the_one_whose_folders_agree_most_is_found():
    paths = ["r/s/q/a.jpg", "r/p/q/a.jpg", "r/p/z/a.jpg", "r/s/only.jpg"]
    index = FileIndex("r", paths)
    assert index.find("old/p/q/a.jpg") == "r/p/q/a.jpg"
    assert index.find("old/s/q/a.jpg") == "r/s/q/a.jpg"
    assert index.find("old/q/a.jpg") == AMBIGUOUS
    assert index.find("old/z/a.jpg") == "r/p/z/a.jpg"
    # The folder that a row names exists, and the file is not in it.
    assert index.find("old/q/only.jpg") is None
    assert index.find("q/old/only.jpg") == "r/s/only.jpg"


def test_letter_case_and_the_writing_of_accents_do_not_matter():
    path = "r/é/Straße.jpg"
    for name in ("É/STRASSE.JPG", "e\u0301/straße.jpg", "E\u0301/Strasse.jpg"):
        assert FileIndex("r", [path]).find(name) == path
