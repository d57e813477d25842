"""sidecar_files.py: labels stand beside photos, and photos are only read."""

import errno
import os

import pytest

from fieldguide.errors import OptionError, OutputError
from fieldguide.prediction.inputs import EmbeddedImage, Inputs
from fieldguide.prediction.result import Prediction
from fieldguide.prediction.tagging import sidecar_files
from fieldguide.prediction.tagging.sidecar_files import sidecar_of, write_tags
from fieldguide.prediction.tagging.xmp import keywords, with_keywords
from sorting_killed import ByName


@pytest.fixture
def photo(tmp_path):
    """Write a photo: its number decides the label, 0 and 7 are unknown."""

    def write(name):
        path = tmp_path / name
        path.write_bytes(b"photo")
        path.chmod(0o444)
        return path

    return write


def tag(*photos, **options):
    return write_tags(ByName(), Inputs([str(photo) for photo in photos]), **options)


def words(path):
    return keywords(path.read_bytes()).get("dc:subject", [])


def test_photos_get_sidecars_and_are_not_touched(photo, tmp_path):
    one, two, bad = photo("p1.jpg"), photo("p2.jpg"), photo("bad3.jpg")
    before = [path.stat() for path in (one, two, bad)]
    done = tag(one, two, bad)
    assert done.counts == {"new": 2}
    assert [(left.path, left.code) for left in done.left] == [(str(bad), "truncated")]
    assert words(tmp_path / "p1.jpg.xmp") == ["dog"]
    assert words(tmp_path / "p2.jpg.xmp") == ["a/b"]
    assert [path.stat().st_mtime_ns for path in (one, two, bad)] == [one.st_mtime_ns for one in before]
    stamp = (tmp_path / "p1.jpg.xmp").stat()
    assert tag(one, two).counts == {"unchanged": 2}
    assert (tmp_path / "p1.jpg.xmp").stat().st_ino == stamp.st_ino


def test_unknown_photos_get_a_tag_only_where_asked_and_lose_an_old_one(photo, tmp_path):
    unknown = photo("p7.jpg")
    assert tag(unknown).counts == {"none": 1}
    assert tag(unknown, unknown=True).counts == {"new": 1}
    assert words(tmp_path / "p7.jpg.xmp") == ["unknown"]
    assert tag(unknown).counts == {"changed": 1}
    assert words(tmp_path / "p7.jpg.xmp") == []


def test_a_photo_without_tags_is_not_unknown(photo, tmp_path):
    class NoTags:
        def predict_stream(self, sources, *, top=5):
            for source in sources:
                yield Prediction(source, "cat", 0.1, 0.5, False, (), (), labels=())

    done = write_tags(NoTags(), Inputs([str(photo("p1.jpg"))]), unknown=True)
    assert done.counts == {"none": 1}


def test_the_sidecar_that_is_there_is_taken(photo, tmp_path):
    raw, jpeg = photo("p1.nef"), photo("p1.jpg")
    (tmp_path / "p1.xmp").write_bytes(with_keywords(None, ["Rome"]))
    assert sidecar_of(str(raw)) == str(tmp_path / "p1.xmp")
    assert sidecar_of(str(jpeg)) == str(tmp_path / "p1.jpg.xmp")
    (tmp_path / "p1.nef.xmp").write_bytes(with_keywords(None, []))
    assert sidecar_of(str(raw)) == str(tmp_path / "p1.nef.xmp")


def test_what_cannot_be_changed_stays_and_the_rest_goes_on(photo, tmp_path):
    photos = [photo(f"p{number}.jpg") for number in (1, 2, 4, 5)]
    (tmp_path / "p1.jpg.xmp").write_bytes(b"no XML")
    (tmp_path / "victim").write_bytes(b"mine")
    (tmp_path / "p2.jpg.xmp").symlink_to(tmp_path / "victim")
    (tmp_path / "p4.jpg.xmp").write_bytes(with_keywords(None, []))
    (tmp_path / "p4.jpg.xmp").chmod(0o400)
    done = tag(*photos)
    assert done.counts == {"new": 1}
    assert [left.message.partition(": ")[2].split(" (")[0] for left in done.left] == [
        "it is damaged",
        "it is a link or no file",
        "it is write-protected",
    ]
    assert (tmp_path / "p1.jpg.xmp").read_bytes() == b"no XML"
    assert (tmp_path / "victim").read_bytes() == b"mine"
    assert len(done.as_dict()["left"]) == 3


@pytest.mark.skipif(os.name != "posix", reason="modes as POSIX has them")
def test_permissions_of_a_sidecar_stay(photo, tmp_path):
    side = tmp_path / "p1.jpg.xmp"
    side.write_bytes(with_keywords(None, ["Rome"]))
    side.chmod(0o600)
    assert tag(photo("p1.jpg")).counts == {"changed": 1}
    assert side.stat().st_mode & 0o777 == 0o600


def test_a_sidecar_that_another_program_has_just_written_stays(photo, tmp_path, monkeypatch):
    side = tmp_path / "p1.jpg.xmp"
    side.write_bytes(with_keywords(None, ["Rome"]))

    def meanwhile(content, labels):
        side.write_bytes(b"written meanwhile")
        return with_keywords(content, labels)

    monkeypatch.setattr(sidecar_files, "with_keywords", meanwhile)
    assert "another program" in tag(photo("p1.jpg")).left[0].message
    assert side.read_bytes() == b"written meanwhile"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p1.jpg", "p1.jpg.xmp"]


@pytest.mark.parametrize(("code", "stops"), [(errno.ENOSPC, True), (errno.EACCES, False)])
def test_a_full_disk_ends_the_run_and_one_folder_does_not(code, stops, photo, monkeypatch):
    def fsync(descriptor):
        raise OSError(code, os.strerror(code))

    one = photo("p1.jpg")
    monkeypatch.setattr(os, "fsync", fsync)
    if stops:
        with pytest.raises(OutputError):
            tag(one)
    else:
        assert "cannot be written" in tag(one).left[0].message


def test_photos_of_an_archive_are_refused():
    with pytest.raises(OptionError, match="unpack them"):
        write_tags(ByName(), Inputs([EmbeddedImage("x.zip/a.jpg", "/tmp/a.jpg")]))
