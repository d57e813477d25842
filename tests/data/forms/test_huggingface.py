"""Hugging Face's files with images inside: splits and shards, names of images, labels kept back, damage."""

import json
from pathlib import Path

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from fieldguide.tasks.task import EITHER, Task
from form_samples import LABELS, draw, huggingface_saved, huggingface_table, write_json

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def read(folder, **options):
    with open_dataset(folder, options=DataOptions(**options)) as dataset:
        contents = {Path(path).name: Path(path).read_bytes() for path in dataset.paths}
    return dataset, contents


def write(file, rows, features=None):
    file.parent.mkdir(parents=True, exist_ok=True)
    table = pyarrow.Table.from_pylist(rows)
    if features is not None:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    parquet.write_table(table, file)


@pytest.fixture
def jpeg(tmp_path):
    return draw(tmp_path / "made.jpg").rename(tmp_path.parent / f"{tmp_path.name}.jpg").read_bytes()


def row(jpeg, label, path=None, **more):
    return {"image": {"bytes": jpeg, "path": path}, "label": label, **more}


def test_shards_and_splits_of_the_hub(tmp_path):
    for name, stems in {
        "train-00000-of-00002": ("a1", "b1"),
        "train-00001-of-00002": ("a2", "b2"),
        "test-00000-of-00001": ("a3", "b3"),
    }.items():
        (tmp_path / "data").mkdir(exist_ok=True)
        parquet.write_table(huggingface_table(tmp_path, stems), tmp_path / f"data/{name}.parquet")
    dataset, contents = read(tmp_path)
    assert dataset.splits == ("test",) * 2 + ("train",) * 4
    assert set(contents) == {f"{stem}.jpg" for stem in LABELS}
    assert contents["b1.jpg"] == draw(tmp_path / "x.jpg", 3).read_bytes()


def test_splits_of_save_to_disk(tmp_path):
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        huggingface_saved(tmp_path / split)
    write_json(tmp_path / "dataset_dict.json", {"splits": ["train", "test"]})
    dataset, _ = read(tmp_path)
    assert dataset.splits == ("test",) * 6 + ("train",) * 6
    assert dataset.classes == ("cat", "dog")
    assert len(set(dataset.paths)) == 12


def test_names_that_cannot_be_written_give_way_to_the_row(tmp_path, jpeg):
    paths = [
        "../../etc/x.jpg",
        "C:\\a\\y.jpg",
        "x.jpg",
        None,
        "\0.jpg",
        ".jpg",
        "n" * 300 + ".jpg",
        "a:b.jpg",
        "x.exe",
    ]
    write(
        tmp_path / "d.parquet",
        [row(jpeg, ["cat", "dog"][number % 2], path) for number, path in enumerate(paths)],
    )
    dataset, contents = read(tmp_path)
    assert list(contents) == [
        *("x.jpg", "y.jpg", "0000003-x.jpg"),
        *(f"000000{number}.jpg" for number in range(4, 10)),
    ]
    assert all(Path(path).is_relative_to(dataset.root) for path in dataset.paths)


def test_labels_that_are_kept_back_or_name_no_class(tmp_path, jpeg):
    features = {"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    write(tmp_path / "d.parquet", [row(jpeg, label) for label in (0, 1, -1, None, 7)], features)
    dataset, _ = read(tmp_path)
    assert dataset.labels == ("cat", "dog")
    assert sorted(refusal.code for refusal in dataset.refused) == ["damaged_row", "unlabelled", "unlabelled"]
    assert f"{tmp_path}/d.parquet, row 5" in [refusal.path for refusal in dataset.refused]


def test_lists_of_labels_with_one_are_labels(tmp_path, jpeg):
    features = {"label": {"_type": "List", "feature": {"_type": "ClassLabel", "names": ["cat", "dog"]}}}
    write(tmp_path / "d.parquet", [row(jpeg, labels) for labels in ([0], [1], [0, 1])], features)
    dataset, _ = read(tmp_path, task=Task.SINGLE)
    assert dataset.labels == ("cat", "dog")
    assert any("1 entry left out: several classes" in note for note in dataset.notes)


def test_lists_of_labels_with_several_are_tags(tmp_path, jpeg):
    features = {"label": {"_type": "List", "feature": {"_type": "ClassLabel", "names": ["cat", "dog"]}}}
    write(tmp_path / "d.parquet", [row(jpeg, labels) for labels in ([0], [], [0, 1])], features)
    with open_dataset(tmp_path, tasks=EITHER) as dataset:
        assert [tags.present for tags in dataset.tags] == [("cat",), (), ("cat", "dog")]


def test_of_two_class_labels_one_is_called_as_the_field_calls_it(tmp_path, jpeg):
    kind = {"_type": "ClassLabel", "names": ["cat", "dog"]}
    rows = [{"img": {"bytes": jpeg, "path": None}, "fine": number, "coarse": 0} for number in (0, 1)]
    write(tmp_path / "d.parquet", rows, {"fine": kind, "coarse": kind})
    with pytest.raises(DataError, match=r"one column must hold the label.*'fine', 'coarse'; say which"):
        read(tmp_path)
    assert read(tmp_path, label_column="fine")[0].labels == ("cat", "dog")
    with pytest.raises(DataError, match="--group-column must be one of its columns, which are 'img'"):
        read(tmp_path, group_column="x")


def test_bytes_alone_groups_splits_and_numbers_with_a_list_beside(tmp_path, jpeg):
    rows = [
        {
            "image": jpeg,
            "label": number % 2,
            "patient_id": number // 2,
            "split": "train" if number < 4 else "test",
        }
        for number in range(6)
    ]
    write(tmp_path / "d.parquet", rows)
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    dataset, _ = read(tmp_path)
    assert dataset.labels == ("cat", "dog") * 3
    assert dataset.groups == ("0", "0", "1", "1", "2", "2")
    assert dataset.splits == ("train",) * 4 + ("test",) * 2


def test_what_is_no_image_is_refused_by_row(tmp_path, jpeg):
    draw(tmp_path / "photos/beside.jpg", 7)
    rows = [
        row(jpeg, "cat"),
        row(b"no image at all", "dog"),
        row(None, "dog", "gone.jpg"),
        row(None, "dog", "beside.jpg"),
    ]
    write(tmp_path / "d.parquet", rows)
    dataset, contents = read(tmp_path)
    assert dataset.labels == ("cat", "dog")
    assert [refusal.path.rpartition(", ")[2] for refusal in dataset.refused] == ["row 2", "row 3"]
    assert contents["beside.jpg"] == (tmp_path / "photos/beside.jpg").read_bytes()


def test_a_file_cut_short_is_an_error_that_names_it(tmp_path):
    huggingface_saved(tmp_path)
    file = tmp_path / "data-00000-of-00001.arrow"
    file.write_bytes(file.read_bytes()[:-600])
    with pytest.raises(DataError, match=r"data-00000-of-00001\.arrow: it cannot be read to its end"):
        read(tmp_path)


def test_the_file_format_of_arrow_as_well_as_its_stream(tmp_path):
    table = huggingface_table(tmp_path)
    with pyarrow.ipc.new_file(str(tmp_path / "x.arrow"), table.schema) as writer:
        writer.write_table(table)
    assert read(tmp_path / "x.arrow")[0].classes == ("cat", "dog")


def test_without_pyarrow_the_way_is_said(tmp_path, monkeypatch):
    import sys

    huggingface_saved(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"images inside \.arrow need the package pyarrow.*run: pip install"):
        read(tmp_path)
