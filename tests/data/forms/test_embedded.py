"""Tables of images: which columns hold images, which names classes have, rows in batches."""

import json

import pytest

from fieldguide.data.forms.embedded import BATCH, describe, is_arrow, rows
from fieldguide.errors import DataError
from form_samples import huggingface, huggingface_saved

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def test_the_schema_names_images_and_classes(tmp_path):
    huggingface(tmp_path)
    table = describe(tmp_path / "data/train-00000-of-00001.parquet")
    assert table.image_columns == ("image",)
    assert table.class_names == {"label": ("cat", "dog")}


def test_the_description_beside_serves_where_the_schema_has_none(tmp_path):
    huggingface_saved(tmp_path)
    file = tmp_path / "data-00000-of-00001.arrow"
    with pyarrow.ipc.open_stream(file.read_bytes()) as reader:
        table = reader.read_all().replace_schema_metadata(None)
    with pyarrow.ipc.new_stream(str(file), table.schema) as writer:
        writer.write_table(table)
    assert describe(file).class_names == {"label": ("cat", "dog")}
    (tmp_path / "dataset_info.json").write_text("{")
    assert describe(file).class_names == {}


@pytest.mark.parametrize("features", [[], {"label": 7}, {"label": {"_type": "ClassLabel", "names": [1]}}])
def test_descriptions_that_say_nothing(tmp_path, features):
    table = pyarrow.table({"image": [b"x"], "label": [1]})
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    parquet.write_table(table, tmp_path / "x.parquet")
    assert describe(tmp_path / "x.parquet").class_names == {}


def test_tables_without_images_are_none(tmp_path):
    parquet.write_table(pyarrow.table({"path": ["a.jpg"], "thumb": [b"x"]}), tmp_path / "x.parquet")
    assert describe(tmp_path / "x.parquet") is None
    (tmp_path / "y.parquet").write_bytes(b"PAR1 no")
    assert describe(tmp_path / "y.parquet") is None


def test_all_rows_come_in_order(tmp_path):
    count = 2 * BATCH + 3
    parquet.write_table(pyarrow.table({"image": [b"x"] * count, "n": range(count)}), tmp_path / "x.parquet")
    assert [row["n"] for row in rows(tmp_path / "x.parquet", ["n"])] == list(range(count))


def test_rows_of_what_is_no_table(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"x\.parquet: it cannot be read to its end; write it again"):
        list(rows(tmp_path / "x.parquet", ["n"]))


def test_arrow_by_its_first_bytes(tmp_path):
    huggingface_saved(tmp_path)
    assert is_arrow(tmp_path / "data-00000-of-00001.arrow")
    assert not is_arrow(tmp_path / "state.json")
    assert not is_arrow(tmp_path / "none.arrow")
