"""Frames of pandas and polars and data sets of Hugging Face, real ones where they are installed."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fieldguide.data.dataset import open_dataset
from fieldguide.data.frames import is_frame
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from form_samples import LABELS, draw
from frames_made import (
    ClassLabel,
    DatasetDict,
    HuggingFaceDataset,
    LazyFrame,
    PandasFrame,
    PolarsFrame,
)
from frames_made import Image as ImageFeature


def real(library, columns):
    return pytest.importorskip(library).DataFrame(columns)


MAKE = {
    "pandas": lambda columns: real("pandas", columns),
    "polars": lambda columns: real("polars", columns),
    "stand-in of pandas": PandasFrame,
    "stand-in of polars": PolarsFrame,
    "stand-in of datasets": HuggingFaceDataset,
}


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return [str(draw(tmp_path / "photos" / f"{stem}.jpg", number)) for number, stem in enumerate(LABELS)]


def opened(frame, **options):
    with open_dataset(frame, **options) as dataset:
        contents = [Path(path).read_bytes() for path in dataset.paths]
    return dataset, contents


@pytest.mark.parametrize("library", MAKE)
def test_paths_labels_splits_and_groups(photos, library):
    columns = {
        "path": photos,
        "label": list(LABELS.values()),
        "split": ["train", "val", "test"] * 2,
        "patient": [1, 2, 3, 1, 2, 3],
    }
    dataset, _ = opened(MAKE[library](columns))
    assert list(dataset.paths) == photos
    assert dataset.labels == tuple(LABELS.values())
    assert dataset.splits == ("train", "validation", "test") * 2
    assert dataset.groups == ("1", "2", "3") * 2
    assert dataset.refused == ()


@pytest.mark.parametrize("library", MAKE)
def test_images_in_the_frame_are_files_for_a_while(photos, library):
    contents = [Path(path).read_bytes() for path in photos]
    columns = {"image": contents, "label": list(LABELS.values())}
    dataset, read = opened(MAKE[library](columns))
    assert read == contents
    assert [dataset.display(path) for path in dataset.paths][:2] == ["0000001.jpg", "0000002.jpg"]
    assert not Path(dataset.paths[0]).exists()


def hugging_face(photos, **columns):
    contents = [{"bytes": Path(path).read_bytes(), "path": f"{Path(path).stem}.jpg"} for path in photos]
    numbers = [["cat", "dog"].index(label) for label in LABELS.values()]
    return {"image": contents, "label": numbers, **columns}


def real_dataset(columns):
    datasets = pytest.importorskip("datasets")
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features))


def stand_in(columns):
    return HuggingFaceDataset(columns, {"image": ImageFeature(), "label": ClassLabel(["cat", "dog"])})


@pytest.mark.parametrize("make", [real_dataset, stand_in])
def test_classes_have_their_names_and_images_are_left_packed(photos, make):
    columns = hugging_face(photos)
    columns["label"][5] = -1
    dataset, read = opened(make(columns))
    assert dataset.labels == tuple(LABELS.values())[:5]
    assert read == [Path(path).read_bytes() for path in photos][:5]
    assert [Path(path).name for path in dataset.paths] == [f"{stem}.jpg" for stem in LABELS][:5]
    assert [refusal.code for refusal in dataset.refused] == ["unlabelled"]


@pytest.mark.parametrize("make", [real_dataset, stand_in])
def test_a_dict_of_data_sets_is_splits(photos, make):
    columns = hugging_face(photos)
    parts = {"train": make(columns), "test": make(columns)}
    real_one = make is real_dataset
    whole = pytest.importorskip("datasets").DatasetDict(parts) if real_one else DatasetDict(parts)
    dataset, _ = opened(whole)
    assert dataset.splits == ("train",) * 6 + ("test",) * 6
    assert len(set(dataset.paths)) == 12


def test_cells_of_images_may_be_of_any_kind(photos):
    png = io.BytesIO()
    Image.fromarray(np.full((9, 9), 7, np.uint8)).save(png, "PNG")
    images = [
        Path(photos[0]),
        Path(photos[1]).read_bytes(),
        Image.open(io.BytesIO(png.getvalue())),
        {"bytes": None, "path": photos[3]},
        "photos/b2.jpg",
        "gone.jpg",
        b"no image",
        None,
        "https://example.org/x.jpg",
    ]
    dataset, _ = opened(PandasFrame({"image": images, "label": ["cat", "dog", *["cat"] * 7]}))
    assert len(dataset) == 5
    assert [refusal.code for refusal in dataset.refused] == ["missing", "not_an_image", "missing", "remote"]
    assert [refusal.path for refusal in dataset.refused][1:3] == ["row 7", "row 8"]


def test_what_pandas_means_by_nothing_is_nothing(photos):
    pandas = pytest.importorskip("pandas")
    labels = pandas.Series(["cat", "dog", None, "cat", "dog", pandas.NA], dtype="string")
    dataset, _ = opened(pandas.DataFrame({"path": photos, "label": labels}))
    assert len(dataset) == 4
    categories = pandas.Categorical(["cat", "dog", None, "cat", "dog", "dog"])
    dataset, _ = opened(pandas.DataFrame({"path": photos, "label": categories}, index=range(7, 13)))
    assert len(dataset) == 5


def test_a_person_says_which_columns_and_splits_are_meant(photos):
    columns = {"path": photos, "kind": list(LABELS.values()), "class": ["x"] * 6, "part": ["old", "new"] * 3}
    options = DataOptions(label_column="kind", split_column="part")
    dataset, _ = opened(PandasFrame(columns), options=options, splits={"train": "old", "test": "new"})
    assert dataset.labels == tuple(LABELS.values())
    assert dataset.splits == ("train", "test") * 3
    assert opened(PandasFrame(columns), options=options, splits=False)[0].splits is None
    with pytest.raises(DataError, match=r"6 refused.*row 1: split must name train, validation or test"):
        opened(PandasFrame(columns), options=options)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (PandasFrame({"x": [1], "label": ["cat"]}), "a column must hold the images.*got 'x', 'label'"),
        (PandasFrame({"path": ["a.jpg"], "x": ["?"]}), "need a column of labels"),
        (PandasFrame({"path": [[1]], "label": ["cat"]}), "an image must be a path or bytes, got a list"),
        (
            PandasFrame({"path": ["a"], "label": [["cat", "dog"]]}),
            "must have one label a photo here, got tags",
        ),
        (LazyFrame({"path": ["a.jpg"]}), "must be in memory; call collect"),
        (DatasetDict(), "a column must hold the images.*got none"),
    ],
)
def test_what_stops(frame, said):
    with pytest.raises(DataError, match=said):
        opened(frame)


def test_where_no_labels_are_needed_none_are_asked_for(photos):
    dataset, _ = opened(PandasFrame({"path": photos}), minimum_classes=0)
    assert (len(dataset), set(dataset.labels)) == (6, {""})


def test_only_frames_are_frames():
    for value in ("a.csv", Path("a.csv"), {"path": []}, [1], None, np.zeros(3)):
        assert not is_frame(value)
