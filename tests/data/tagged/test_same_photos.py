"""The same photo in several folders."""

from fieldguide.data.dataset import open_dataset
from fieldguide.data.options import DataOptions
from fieldguide.data.tagged.same_photos import joined_photos
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import EITHER, Task


def test_files_of_one_content_are_one_photo_within_a_split(tmp_path):
    contents = {"a": b"one", "b": b"one", "c": b"two", "d": b"one"}
    paths = []
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        paths.append(str(tmp_path / name))
    found = joined_photos(paths, ["x", "y", "x", "z"], ["train", "train", "train", "test"])
    assert found.rows == (0, 2, 3)
    assert found.tags == (Tags(("x", "y")), Tags(("x",)), Tags(("z",)))
    assert found.several == 1


def test_a_file_that_cannot_be_read_stays_by_itself(tmp_path):
    found = joined_photos([str(tmp_path / "gone"), str(tmp_path / "lost")], ["x", "y"])
    assert found.rows == (0, 1)


def test_folders_become_tags_only_if_they_are_asked_for(tmp_path):
    for folder in ("beach", "dusk"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").write_bytes(b"the same")
    (tmp_path / "dusk" / "b.jpg").write_bytes(b"another!")
    with open_dataset(tmp_path) as dataset:
        assert dataset.labels == ("beach", "dusk", "dusk")
    with open_dataset(tmp_path, options=DataOptions(task=Task.MULTIPLE), tasks=EITHER) as dataset:
        assert [tags.present for tags in dataset.tags] == [("beach", "dusk"), ("dusk",)]
        assert any("1 photo in several folders" in note for note in dataset.notes)
