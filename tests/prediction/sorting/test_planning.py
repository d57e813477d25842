"""planning.py: every photo has a place of its own before any is touched."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldguide.errors import OptionError, OutputError, Refusal
from fieldguide.prediction.inputs import EmbeddedImage
from fieldguide.prediction.result import Prediction, refused
from fieldguide.prediction.sorting.planning import Planner, full_path, sidecar_target, sidecars_of


def answer(path, label="cat", unknown=False):
    return Prediction(str(path), label, 0.9, 0.5, unknown, (label,), ())


@pytest.fixture
def photo(tmp_path):
    """Write a file: `photo("a/1.jpg", b"content")`."""

    def write(name, content=b"photo"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(path)

    return write


@pytest.fixture
def planner(tmp_path):
    return Planner(tmp_path / "sorted", "copy", ("cat", "a/b"))


def targets(planned):
    return [[row.target for row in unit] for unit in planned.units]


def test_labels_unknown_and_refused_have_folders(planner, photo):
    one = photo("1.jpg")
    assert targets(planner.plan(one, answer(one))) == [["cat/1.jpg"]]
    assert targets(planner.plan(one, answer(one, "a/b"))) == [["a_b/1.jpg"]]
    assert targets(planner.plan(one, answer(one, unknown=True))) == [["unknown/1.jpg"]]
    assert targets(planner.plan(one, refused(one, "truncated", "it ends"))) == [["refused/1.jpg"]]
    assert planner.notes() == ["the folder of the label 'a/b' is called 'a_b'"]


def tagged(path, *labels, unknown=False):
    return Prediction(str(path), "cat", 0.9, 0.5, unknown, ("cat",), (), labels=labels)


def test_a_photo_goes_into_the_folder_of_each_tag_and_one_without_into_its_own(tmp_path, photo):
    one = photo("1.jpg")
    planner = Planner(tmp_path / "sorted", "move", ("cat", "sea", "Untagged"))
    planned = planner.plan(one, tagged(one, "sea", "cat"))
    assert targets(planned) == [["sea/1.jpg"], ["cat/1.jpg"]]
    assert [unit[0].how for unit in planned.units] == ["copy", "move"]  # the last takes the photo away
    (unit,) = planner.plan(one, tagged(one)).units
    assert (unit[0].target, unit[0].answer) == ("untagged-2/1.jpg", "untagged-2")
    (unit,) = planner.plan(one, tagged(one, "sea", unknown=True)).units
    assert unit[0].target == "unknown/1.jpg"
    other = Planner(tmp_path / "other", "move", ("cat",))
    assert targets(other.plan(one, tagged(one))) == [["untagged/1.jpg"]]


def test_what_is_no_file_is_left_with_the_reason(planner, tmp_path):
    gone = str(tmp_path / "gone.jpg")
    (left,) = planner.plan(gone, refused(gone, "missing", "there is no such file")).units[0]
    assert (left.how, left.note, left.target) == ("left", "there is no such file", "")
    item = Refusal("x/link.jpg", "outside", "it leads out of the folder")
    (left,) = planner.plan(item, refused("x/link.jpg", "outside", "it leads out of the folder")).units[0]
    assert (left.how, left.note) == ("left", "it leads out of the folder")


def test_one_name_from_two_folders_is_numbered_whatever_its_case(planner, photo):
    names = [photo(name, name.encode()) for name in ("a/1.jpg", "b/1.jpg", "c/1.JPG", "d/1-2.jpg")]
    found = [targets(planner.plan(name, answer(name)))[0][0] for name in names]
    assert found == ["cat/1.jpg", "cat/1-2.jpg", "cat/1-3.JPG", "cat/1-2-2.jpg"]


def test_an_existing_file_is_kept_and_the_same_content_counts_as_done(planner, photo):
    one = photo("1.jpg")
    photo("sorted/cat/1.jpg", b"another")
    (row,) = planner.plan(one, answer(one)).units[0]
    assert (row.target, row.how) == ("cat/1-2.jpg", "copy")
    photo("sorted/cat/1-3.jpg", b"photo")
    again = Planner(planner.folder, "copy", planner.classes)
    photo("sorted/cat/1-2.jpg", b"third")
    (row,) = again.plan(one, answer(one)).units[0]
    assert (row.target, row.how) == ("cat/1-3.jpg", "present")
    moving = Planner(planner.folder, "move", planner.classes)  # else the original were removed, or stayed
    (row,) = moving.plan(one, answer(one)).units[0]
    assert (row.target, row.how) == ("cat/1-4.jpg", "move")


EXISTING = st.dictionaries(st.sampled_from(["1.jpg", "1-2.jpg", "1-3.jpg"]), st.sampled_from([b"p", b"q"]))


@settings(deadline=None)
@given(
    EXISTING,
    st.lists(st.sampled_from([b"p", b"q"]), min_size=1, max_size=4),
    st.sampled_from(["copy", "move"]),
)
def test_no_two_photos_and_no_existing_file_share_a_place(existing, photos, by):
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "sorted", "cat")
        folder.mkdir(parents=True)
        for name, content in existing.items():
            (folder / name).write_bytes(content)
        planner = Planner(folder.parent, by, ("cat",))
        rows = []
        for number, content in enumerate(photos):
            path = Path(home, str(number), "1.jpg")
            path.parent.mkdir()
            path.write_bytes(content)
            rows.append((content, planner.plan(str(path), answer(path)).units[0][0]))
        assert len({row.target for _, row in rows}) == len(rows)
        for content, row in rows:
            place = folder.parent / row.target
            assert place.exists() == (row.how == "present")
            assert row.how != "present" or (by == "copy" and place.read_bytes() == content)


def test_sidecars_go_along_under_the_photos_new_name(planner, photo):
    raw, jpg = photo("a/1.nef"), photo("a/1.jpg")
    photo("a/1.xmp", b"raw's"), photo("a/1.jpg.xmp", b"jpeg's")
    photo("sorted/cat/1.jpg.xmp", b"somebody's")
    assert targets(planner.plan(raw, answer(raw))) == [["cat/1.nef", "cat/1.xmp"]]
    assert targets(planner.plan(jpg, answer(jpg))) == [["cat/1-2.jpg", "cat/1-2.jpg.xmp"]]
    assert sidecars_of(jpg) == [(f"{jpg}.xmp", "whole")]
    assert sidecar_target("cat/1.nef", "x/1.XMP", "stem") == "cat/1.XMP"


def test_each_photo_once_and_none_that_lies_in_the_folder(planner, photo, monkeypatch, tmp_path):
    one, inside = photo("1.jpg"), photo("sorted/cat/2.jpg")
    monkeypatch.chdir(tmp_path)
    items, notes = planner.sorted_out([one, "1.jpg", "./1.jpg", inside, "sorted/cat/2.jpg"])
    assert items == [one]
    assert "1 photos that lie in it already" in notes[0]
    assert full_path("1.jpg") == os.path.realpath(one)


def test_photos_of_an_archive_are_only_copied(planner, photo):
    item = EmbeddedImage("x.zip/a.jpg", photo("unpacked/a.jpg"))
    (row,) = planner.plan(item, answer("x.zip/a.jpg")).units[0]
    assert (row.target, row.how, row.source) == ("cat/a.jpg", "unpack", full_path("x.zip/a.jpg"))
    for by in ("hardlink", "move"):
        with pytest.raises(OptionError, match="can only be copied"):
            Planner(planner.folder, by, ("cat",)).sorted_out([item])


def test_a_photo_of_several_labels_moves_last(planner, photo, monkeypatch):
    one = photo("1.jpg")
    monkeypatch.setattr(
        "fieldguide.prediction.sorting.planning.labels_given", lambda prediction: ("cat", "a/b")
    )
    planner.by = "move"
    rows = [unit[0] for unit in planner.plan(one, answer(one)).units]
    assert [(row.target, row.how, row.answer) for row in rows] == [
        ("cat/1.jpg", "copy", "cat"),
        ("a_b/1.jpg", "move", "a/b"),
    ]


def test_a_folder_is_made_and_never_through_a_link(planner, photo, tmp_path):
    photo("sorted/unknown/1.jpg")
    planner.make_folder("cat/1.jpg")
    assert (planner.folder / "cat").is_dir()
    (tmp_path / "elsewhere").mkdir()
    (planner.folder / "a_b").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="is a link"):
        planner.make_folder("a_b/1.jpg")
    (planner.folder / "refused").write_bytes(b"a file")
    with pytest.raises(OutputError, match="no folder can be made"):
        planner.make_folder("refused/1.jpg")
