"""What would be lost after hours of work stops before it: bad names of classes, places without a way in."""

import pytest

from fieldguide import recipes
from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.errors import DataError, OutputError
from fieldguide.learning import checks
from fieldguide.learning.train import TrainOptions, train, train_dataset
from fieldguide.recipes.common import Options

COUNTS = {"red": 3, "green": 2, "blue": 2}


@pytest.fixture(scope="module")
def photos(tmp_path_factory, paint_classes):
    return paint_classes(tmp_path_factory.mktemp("photos"), COUNTS)


@pytest.fixture
def options(tmp_path):
    """Make options: `options(data, out)`."""

    def make(data, out=None):
        return TrainOptions(data, out or tmp_path / "model.onnx", options=Options("efficientnet_lite0"))

    return make


@pytest.fixture
def no_work(monkeypatch):
    """Fails a test in which training begins."""
    fail = lambda *arguments: pytest.fail("work began")  # noqa: E731
    monkeypatch.setattr(recipes.find("linear-probe"), "fit", fail)


@pytest.mark.parametrize(
    ("name", "got"), [("x" * 1001, "'xxxxxxxx.*' of 1,001; rename it"), ("a\0b", r"'a\\x00b'; rename it")]
)
def test_names_that_no_model_file_may_hold_stop_early(photos, options, no_work, name, got):
    with open_dataset(photos) as dataset:
        renamed = tuple(name if label == "red" else label for label in dataset.labels)
        dataset = Dataset(dataset.root, dataset.paths, renamed)
        with pytest.raises(DataError, match=f"1 to 1,000 characters and no NUL, got {got}"):
            train_dataset(dataset, options(photos))


def test_more_classes_than_a_model_file_may_hold_stop_early(photos, options, no_work, monkeypatch):
    monkeypatch.setattr(checks, "MAX_CLASSES", 2)
    with pytest.raises(DataError, match="at most 2 classes fit a model file, got 3"):
        train(options(photos))


@pytest.mark.parametrize(
    ("out", "message"),
    [(".", "is a folder; give a file name"), ("nowhere/model.onnx", "no such folder for the model file")],
)
def test_a_place_that_cannot_be_written_to_stops_early(photos, options, tmp_path, no_work, out, message):
    with pytest.raises(OutputError, match=message):
        train(options(photos, tmp_path / out))


def test_a_folder_that_only_looks_writable_stops_early(photos, options, tmp_path, no_work, monkeypatch):
    def read_only(**arguments):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(checks.tempfile, "TemporaryFile", read_only)
    with pytest.raises(OutputError, match=r"cannot be written to \(Read-only file system\); choose another"):
        train(options(photos))
