"""What lies at DATA: files by ending, names by folder, XML and JSON that cannot grow."""

import pytest

from fieldguide.data.forms.source import DataSource, xml_root
from fieldguide.errors import DataError
from form_samples import draw, write_json


def test_a_single_folder_is_where_names_count_from(tmp_path):
    draw(tmp_path / "photos/images/a.jpg")
    (tmp_path / "photos/labels.csv").write_text("path,label\nimages/a.jpg,x\n", encoding="utf-8")
    source = DataSource(tmp_path)
    assert source.base == tmp_path / "photos"
    assert [file.name for file in source.tables()] == ["labels.csv"]
    assert source.name_in(tmp_path / "photos/sub/x.json", "a.jpg") == "sub/a.jpg"


def test_a_file_brings_its_folder(tmp_path):
    draw(tmp_path / "a.jpg")
    table = tmp_path / "labels.csv"
    table.write_text("path,label\na.jpg,x\n", encoding="utf-8")
    source = DataSource(table)
    assert source.files(".csv") == [table]
    assert source.files(".json") == []
    assert source.exists(table, "a.jpg") and not source.exists(table, "b.jpg")


def test_images_inside_need_somebody_who_removes_them(tmp_path):
    with pytest.raises(DataError, match="open it with open_dataset"):
        _ = DataSource(tmp_path).scratch


@pytest.mark.parametrize("text", ["{", "[" * 100_000])
def test_json_that_is_none_is_a_sentence(tmp_path, text):
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="it is not valid JSON"):
        DataSource(tmp_path).json(tmp_path / "x.json")


def test_json_is_read_once(tmp_path):
    write_json(tmp_path / "x.json", {"a": 1})
    source = DataSource(tmp_path)
    assert source.json(tmp_path / "x.json") is source.json(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "must not declare entities"), ("<a>", "not valid XML")],
)
def test_xml_that_could_grow_is_refused(tmp_path, text, said):
    (tmp_path / "x.xml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        xml_root(tmp_path / "x.xml")
