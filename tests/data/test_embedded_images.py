"""Images whose bytes stand in a table."""

from pathlib import Path

import pytest

from fieldguide.data import embedded_images
from fieldguide.data.dataset import open_dataset
from fieldguide.data.embedded_images import ImageFolder, parts_of
from fieldguide.errors import DataError

JPEG = b"\xff\xd8\xff\xe0rest"
pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def written(path, image, label, metadata=None):
    table = pyarrow.table({"image": image, "label": label}).replace_schema_metadata(metadata)
    parquet.write_table(table, path)
    return path


def folder_of(tmp_path, size=1000):
    table = tmp_path / "t.parquet"
    table.write_bytes(b"x" * size)
    return ImageFolder(tmp_path, table)


def test_names_stay_inside_and_apart(tmp_path):
    folder = folder_of(tmp_path)
    names = [
        folder.add(row, name, JPEG)
        for row, name in enumerate(["../../a.jpg", "A.JPG", None, "c\x1b[2J.png", "x.exe", "a:b.jpg"])
    ]
    assert names == ["a.jpg", "0000001-A.JPG", *(f"000000{row}.jpg" for row in (2, 3, 4, 5))]
    assert sorted(path.name for path in folder.folder.iterdir()) == sorted(names)
    assert folder.folder == tmp_path / "t"


def test_two_tables_of_one_name_have_folders_of_their_own(tmp_path):
    assert {folder_of(tmp_path).folder.name for _ in range(3)} == {"t", "t-1", "t-2"}


def test_a_table_that_unfolds_beyond_measure_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(embedded_images, "_ALLOWANCE", 10)
    with pytest.raises(DataError, match="unfold to far more bytes"):
        folder_of(tmp_path, 1).add(1, "a.jpg", b"x" * 200)


def test_a_small_file_that_holds_a_thousand_times_its_size_is_refused(tmp_path):
    image = [{"bytes": JPEG + bytes(2**20), "path": None}] * 60  # a column's equal values are kept once
    table = written(tmp_path / "t.parquet", image, ["cat", "dog"] * 30)
    assert table.stat().st_size < 2**18
    with (
        pytest.raises(DataError, match=r"t\.parquet: its images unfold to far more bytes"),
        open_dataset(table),
    ):
        pass


def test_a_column_is_known_by_its_bytes_whatever_it_is_called(tmp_path):
    rows = {"signature": [b"1", b"2"], "content": [JPEG + b"1", JPEG + b"2"], "kind": ["cat", "dog"]}
    parquet.write_table(pyarrow.table(rows | {"label": ["cat", "dog"]}), tmp_path / "t.parquet")
    with open_dataset(tmp_path / "t.parquet") as dataset:
        assert [Path(path).read_bytes() for path in dataset.paths] == rows["content"]


@pytest.mark.parametrize("form", ["struct", "binary", "large_binary"])
def test_every_form_of_a_column_is_read_as_images(tmp_path, form):
    contents = [JPEG + bytes([number]) for number in range(4)]
    image = {
        "struct": [{"bytes": content, "path": f"{number}.jpg"} for number, content in enumerate(contents)],
        "binary": pyarrow.array(contents, pyarrow.binary()),
        "large_binary": pyarrow.array(contents, pyarrow.large_binary()),
    }[form]
    table = written(tmp_path / "t.parquet", image, ["cat", "dog", "cat", "dog"])
    with open_dataset(table) as dataset:
        assert [Path(path).read_bytes() for path in dataset.paths] == contents
        assert dataset.labels == ("cat", "dog", "cat", "dog")
        shown = [dataset.display(path) for path in dataset.paths]
        names = range(4) if form == "struct" else [f"000000{row}" for row in range(1, 5)]
        assert shown == [f"t/{name}.jpg" for name in names]
    assert not Path(dataset.paths[0]).exists()


def test_a_struct_of_paths_alone_counts_from_the_table(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    image = pyarrow.array(
        [{"bytes": None, "path": "a.jpg"}, {"bytes": None, "path": "b.jpg"}],
        pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())]),
    )
    with open_dataset(written(tmp_path / "t.parquet", image, ["cat", "dog"])) as dataset:
        assert [Path(path) for path in dataset.paths] == [tmp_path / "a.jpg", tmp_path / "b.jpg"]


def test_numbered_classes_have_the_names_that_hugging_face_left(tmp_path):
    metadata = {
        "huggingface": '{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}'
    }
    with open_dataset(written(tmp_path / "t.parquet", [JPEG, JPEG], [1, 0], metadata)) as dataset:
        assert dataset.labels == ("dog", "cat")


def test_parts():
    assert parts_of({"bytes": b"x", "path": None}) == (None, b"x")
    assert parts_of({"bytes": "eA==", "path": "a.jpg"}) is None
