"""WebDataset: shards and what is unpacked of one, JSON and text, hostile shards, captions."""

import io
import shutil
import tarfile
import zipfile

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError
from form_samples import LABELS, draw, write_json
from form_samples_published import webdataset


@pytest.fixture
def shards(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return webdataset(folder)


def test_parts_by_the_shards_names(shards):
    with open_dataset(shards) as dataset:
        assert (len(dataset.select("train")), len(dataset.select("validation"))) == (4, 2)


def test_one_shard_is_data_too(shards):
    with open_dataset(shards / "photos-train-000000.tar") as dataset:
        assert dataset.labels == ("0", "0", "1", "1")


def test_json_beside_the_images(tmp_path):
    for number, (stem, label) in enumerate(LABELS.items()):
        draw(tmp_path / f"{stem}.jpg", number)
        write_json(tmp_path / f"{stem}.json", {"label": label, "url": "x"})
    (tmp_path / "a1.json").write_text("{")
    draw(tmp_path / "b1.png")
    (tmp_path / "b2.json").write_text("[1]")
    draw(tmp_path / "c.jpg")
    for number in range(20):
        draw(tmp_path / f"d{number}.jpg", number)
        (tmp_path / f"d{number}.cls").write_text("dog")
    with open_dataset(tmp_path) as dataset:
        assert len(dataset) == 24
        assert [refusal.path for refusal in dataset.refused] == ["a1.jpg", "b2.jpg"]
        said = " ".join(dataset.notes)
        assert "1 entry left out: a second image under the same key" in said
        assert "1 entry left out: no label beside the image" in said


def test_a_hostile_shard_is_refused(shards):
    with tarfile.open(shards / "photos-train-000001.tar", "w") as shard:
        member = tarfile.TarInfo("../out.jpg")
        member.size = 1
        shard.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(DataError, match="would be written outside"), open_dataset(shards):
        pass


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_shards_inside_an_archive_are_opened(shards, tmp_path, kind):
    archive = shutil.make_archive(str(tmp_path / "all"), kind, shards)
    with open_dataset(archive) as dataset:
        assert (len(dataset.select("train")), len(dataset.select("validation"))) == (4, 2)


def test_a_shard_that_unfolds_once_more_is_refused(tmp_path):
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as shard:
        info = tarfile.TarInfo("a.jpg")
        info.size = 2**20
        shard.addfile(info, io.BytesIO(bytes(info.size)))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("train-000000.tar", inner.getvalue())
    with pytest.raises(DataError, match="unpacks to more than"), open_dataset(tmp_path / "all.zip"):
        pass
