"""Numbers get their names from a list beside them, or stay numbers."""

import json

import pytest

from fieldguide.data.forms.label_names import named


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("classes.txt", "cat\ndog\n"),
        ("classes.txt", "0 cat\n1 dog\n"),
        ("labels.txt", "cat 0\ndog 1\n"),
        ("class_dict.csv", "class_index,class\n0,cat\n1,dog\n"),
        ("labels.json", json.dumps(["cat", "dog"])),
        ("id2label.json", json.dumps({"0": "cat", "1": "dog"})),
        ("label2id.json", json.dumps({"cat": 0, "dog": 1})),
        ("config.json", json.dumps({"model": "x", "id2label": {"0": "cat", "1": "dog"}})),
    ],
)
def test_lists_as_the_field_writes_them(tmp_path, file, content):
    (tmp_path / file).write_text(content, encoding="utf-8")
    assert named(["0", "1", "0"], [tmp_path])[0] == {"0": "cat", "1": "dog"}


def test_lists_may_count_from_one(tmp_path):
    (tmp_path / "classes.txt").write_text("cat\ndog\n", encoding="utf-8")
    assert named(["1", "2"], [tmp_path])[0] == {"1": "cat", "2": "dog"}


def test_a_list_that_lacks_a_number_names_none(tmp_path):
    (tmp_path / "classes.txt").write_text("cat\ndog\n", encoding="utf-8")
    assert named(["0", "7"], [tmp_path]) == ({}, "")


def test_words_keep_themselves(tmp_path):
    (tmp_path / "classes.txt").write_text("cat\ndog\n", encoding="utf-8")
    assert named(["cat", "0"], [tmp_path]) == ({}, "")
    assert named([], [tmp_path]) == ({}, "")


def test_what_is_no_list_is_passed_over(tmp_path):
    (tmp_path / "labels.json").write_text("{", encoding="utf-8")
    (tmp_path / "classes.txt").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "names.txt").write_text("cat\ndog\n", encoding="utf-8")
    assert named(["0", "1"], [tmp_path])[1].endswith("names.txt")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("labels.csv", "id,label\na1,0\na2,1\na3,0\na4,1\n"),
        ("labels.csv", "file;y\nimg/1.jpg;0\nimg/2.jpg;1\nimg/3.jpg;1\n"),
        ("labels.txt", "img/1.jpg 0\nimg/2.jpg 1\nimg/3.jpg 1\n"),
    ],
)
def test_a_table_that_is_called_as_lists_are_names_nothing(tmp_path, file, content):
    (tmp_path / file).write_text(content, encoding="utf-8")
    assert named(["0", "1"], [tmp_path]) == ({}, "")


def test_names_that_end_in_numbers_are_names(tmp_path):
    (tmp_path / "classes.txt").write_text(
        "Audi 100\nBMW 3 2012\nVW Golf 2012\nKia Rio 2012\n", encoding="utf-8"
    )
    assert named(["0", "2"], [tmp_path])[0] == {"0": "Audi 100", "2": "VW Golf 2012"}
    (tmp_path / "classes.txt").write_text("Audi 100\n", encoding="utf-8")
    assert named(["0"], [tmp_path])[0] == {"0": "Audi 100"}


def test_the_table_itself_is_no_list(tmp_path):
    table = tmp_path / "labels.txt"
    table.write_text("a1 0\na2 1\na3 1\n", encoding="utf-8")
    assert named(["0", "1"], [tmp_path], table) == ({}, "")
