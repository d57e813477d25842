import zipfile

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError
from fieldguide.workspace.extracted_archives import extracted, file_name


@pytest.fixture
def archive(tmp_path, paint_classes):
    folder = paint_classes(tmp_path / "photos", {"red": 2, "blue": 2})
    place = tmp_path / "upload.zip"
    with zipfile.ZipFile(place, "w") as file:
        for path in sorted(folder.rglob("*.png")):
            file.write(path, path.relative_to(folder))
    return place


def test_an_archive_becomes_a_folder_that_is_data(archive, tmp_path):
    folder = extracted(archive, "My Photos!.zip", tmp_path / "data")
    assert folder == tmp_path / "data" / "My-Photos"
    with open_dataset(folder) as dataset:
        assert dataset.classes == ("blue", "red")
        assert len(dataset) == 4


def test_the_same_name_again_gets_a_number(archive, tmp_path):
    names = [extracted(archive, "a.zip", tmp_path / "data").name for _ in range(3)]
    assert names == ["a", "a-2", "a-3"]


def test_a_hostile_archive_leaves_nothing(tmp_path):
    place = tmp_path / "evil.zip"
    with zipfile.ZipFile(place, "w") as file:
        file.writestr("a/1.png", b"x")
        file.writestr("../evil.png", b"x")
    with pytest.raises(DataError, match="outside its folder"):
        extracted(place, "evil.zip", tmp_path / "data")
    assert not (tmp_path / "data").exists() or list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("cats and dogs", "cats-and-dogs"),
        ("../../etc/passwd", "etc-passwd"),
        ("...", "photos"),
        ("", "photos"),
        ("a\0b\n<c>", "a-b-c"),
        ("été", "été"),
        ("x" * 100, "x" * 60),
    ],
)
def test_whatever_is_typed_becomes_a_plain_name(typed, name):
    assert file_name(typed) == name
