"""Hostile and damaged archives: rows 21 and 31 to 33 of the fault list."""

import contextlib
import gzip
import io
import os
import stat
import struct
import tarfile
import tempfile
import warnings
import zipfile
from pathlib import Path

import pytest

from fieldguide.data import archives
from fieldguide.data.archives import Limits, is_archive, unpacked
from fieldguide.errors import DataError

HOSTILE_NAMES = [
    "../evil.jpg",
    "cat/../../evil.jpg",
    "/tmp/evil.jpg",
    "..\\evil.jpg",
    "C:\\evil.jpg",
    "c:evil.jpg",
    "\\\\server\\evil.jpg",
    "cat/..",
    "../fieldguide-twin/evil.jpg",
]


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Where archives are unpacked; must be empty again after each test, whatever happened."""
    folder = tmp_path / "temporary" / "nested"
    folder.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []
    assert list(folder.parent.iterdir()) == [folder]


def make_zip(path: Path, members: dict[str, bytes], compression=zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return path


def make_tar(path: Path, members: dict[str, bytes], mode="w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def written(path: Path, **options) -> list[str]:
    with unpacked(path, **options) as result:
        return sorted(str(p.relative_to(result.folder)) for p in result.folder.rglob("*") if p.is_file())


def special(kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo("cat/link.jpg")
    info.type, info.linkname = kind, "/etc/passwd"
    return info


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_images_and_tables_come_out_others_are_counted(tmp_path, suffix):
    members = {
        "cat/1.jpg": b"one",
        "cat/2.PNG": b"two",
        "labels.csv": b"x",
        "readme.md": b"x",
        "a/in.zip": b"x",
    }
    members |= {"__MACOSX/cat/._1.jpg": b"x"}
    path = tmp_path / f"data.{suffix}"
    if suffix == "zip":
        make_zip(path, members)
    else:
        make_tar(path, members, "w:" + suffix.partition(".")[2])
    with unpacked(path) as result:
        assert (result.folder / "cat/1.jpg").read_bytes() == b"one"
        assert result.others == {".md": 1, ".zip": 1}
        assert result.hidden == 1
        folder = result.folder
    assert not folder.exists()
    assert written(path) == ["cat/1.jpg", "cat/2.PNG", "labels.csv"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_names_that_leave_the_folder_refuse_the_archive(tmp_path, make, name):
    path = make(tmp_path / "data.zip", {"cat/1.jpg": b"x", name: b"evil"})
    with pytest.raises(DataError, match="outside its folder"), unpacked(path):
        pass


def test_nul_in_a_zip_name_refuses_the_archive(tmp_path):
    path = make_zip(tmp_path / "data.zip", {"cat/aXb.jpg": b"x"})
    path.write_bytes(path.read_bytes().replace(b"aXb", b"a\0b"))
    with pytest.raises(DataError, match="outside its folder"), unpacked(path):
        pass


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_tar_refuse_the_archive(tmp_path, kind):
    path = tmp_path / "data.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(special(kind))
    with pytest.raises(DataError, match="link, a device"), unpacked(path):
        pass


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_in_zip_refuse_the_archive(tmp_path, kind):
    path = tmp_path / "data.zip"
    member = zipfile.ZipInfo("cat/link.jpg")
    member.create_system, member.external_attr = 3, (kind | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(DataError, match="link or a device"), unpacked(path):
        pass


def test_link_then_file_through_it_writes_nothing(tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    path = tmp_path / "data.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("cat")
        link.type, link.linkname = tarfile.SYMTYPE, str(victim)
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo("cat/evil.jpg"))
    with pytest.raises(DataError), unpacked(path):
        pass
    assert list(victim.iterdir()) == []


def test_zip_bomb_stops_while_writing(tmp_path, monkeypatch):
    sizes = []
    original = archives._Target.count_bytes
    monkeypatch.setattr(archives._Target, "count_bytes", lambda t, n: (sizes.append(n), original(t, n))[1])
    path = make_zip(tmp_path / "bomb.zip", {"cat/1.bmp": bytes(200_000_000)})
    assert path.stat().st_size < 200_000
    with pytest.raises(DataError, match="unpacks to more than"), unpacked(path):
        pass
    assert sum(sizes) < 40_000_000


def test_lying_size_header_does_not_lift_the_limit(tmp_path):
    path = make_zip(tmp_path / "bomb.zip", {"cat/1.bmp": bytes(30_000_000)})
    content = path.read_bytes().replace(struct.pack("<L", 30_000_000), struct.pack("<L", 10))
    path.write_bytes(content)
    with pytest.raises(DataError), unpacked(path):
        pass


def test_tar_bomb_counts_skipped_members_and_headers_too(tmp_path):
    path = tmp_path / "bomb.tar.gz"
    make_tar(path, {"notes.txt": bytes(100_000_000), "cat/1.jpg": b"x"}, "w:gz")
    with pytest.raises(DataError, match="unpacks to more than"), unpacked(path):
        pass
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 100_000_000
    path.write_bytes(gzip.compress(header.tobuf() + bytes(100_000_000)))
    with pytest.raises(DataError, match="unpacks to more than"), unpacked(path):
        pass


def test_too_many_members_refuse_the_archive(tmp_path):
    path = make_zip(tmp_path / "many.zip", {f"cat/{number}.jpg": b"" for number in range(11)})
    with pytest.raises(DataError, match="more than 10 members"), unpacked(path, limits=Limits(entries=10)):
        pass
    assert len(written(path, limits=Limits(entries=11))) == 11


def test_honest_photos_stay_within_the_limits(tmp_path):
    members = {f"cat/{number}.jpg": os.urandom(100_000) for number in range(30)}
    assert len(written(make_zip(tmp_path / "data.zip", members))) == 30


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_case_twins_are_both_kept(tmp_path, make):
    path = make(tmp_path / "data.zip", {"Cat/1.jpg": b"A", "cat/1.jpg": b"b", "cat/1.JPG": b"c"})
    assert written(path) == ["Cat/1.jpg", "cat/1.JPG", "cat/1.jpg"]


def test_the_same_name_twice_refuses_the_archive(tmp_path):
    path = tmp_path / "data.tar"
    with tarfile.open(path, "w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("cat/1.jpg"))
    with pytest.raises(DataError, match="occurs twice"), unpacked(path):
        pass
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("cat/1.jpg", b"1")
        archive.writestr("cat/1.jpg", b"2")
    with pytest.raises(DataError, match="occurs twice"), unpacked(tmp_path / "data.zip"):
        pass


def test_a_name_both_file_and_folder_refuses_the_archive(tmp_path):
    path = make_zip(tmp_path / "data.zip", {"cat.jpg": b"x", "cat.jpg/1.jpg": b"x"})
    with pytest.raises(DataError, match="both file and folder"), unpacked(path):
        pass


def test_name_beyond_what_a_disk_takes_refuses_the_archive(tmp_path):
    path = make_zip(tmp_path / "data.zip", {"x" * 300 + ".jpg": b"x"})
    with pytest.raises(DataError, match="cannot be unpacked"), unpacked(path):
        pass


def test_odd_zip_names_keep_their_bytes(tmp_path):
    name = b"cat/bad\xff\xe9.jpg"
    path = make_zip(tmp_path / "data.zip", {"cat/badXX.jpg": b"x"})
    path.write_bytes(path.read_bytes().replace(b"cat/badXX.jpg", name))
    assert [os.fsencode(entry) for entry in written(path)] == [name]


def test_utf8_names_survive(tmp_path):
    assert written(make_zip(tmp_path / "data.zip", {"käse/\U0001f9c0.jpg": b"x"})) == ["käse/\U0001f9c0.jpg"]


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_cut_archives_are_refused(tmp_path, make, share):
    path = make(tmp_path / "data.zip", {f"cat/{number}.jpg": os.urandom(2000) for number in range(20)})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match=r"damaged|cannot be unpacked"), unpacked(path):
        pass


def test_tar_cut_between_two_members_is_refused(tmp_path):
    path = make_tar(tmp_path / "data.tar", {"cat/1.jpg": b"x" * 512, "cat/2.jpg": b"x" * 512})
    path.write_bytes(path.read_bytes()[:1024])
    with pytest.raises(DataError, match="does not end"), unpacked(path):
        pass


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_never_leave_as_another_error(tmp_path, seed):
    import random

    make = make_zip if seed % 2 else make_tar
    path = make(tmp_path / "data.zip", {f"cat/{number}.jpg": b"photo" * 50 for number in range(5)})
    content = bytearray(path.read_bytes())
    chance = random.Random(seed)
    for _ in range(8):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    with contextlib.suppress(DataError):
        written(path)


def test_encrypted_zip_says_so(tmp_path):
    path = make_zip(tmp_path / "data.zip", {"cat/1.jpg": b"x"})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="encrypted"), unpacked(path):
        pass


def test_nothing_stays_when_the_work_fails(tmp_path):
    path = make_zip(tmp_path / "data.zip", {"cat/1.jpg": b"x"})
    with pytest.raises(KeyboardInterrupt), unpacked(path):
        raise KeyboardInterrupt


def test_is_archive_goes_by_the_ending():
    assert is_archive(Path("x/Data.ZIP"))
    assert is_archive(Path("x.tar.gz"))
    assert not is_archive(Path("x.gz"))


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("hidden", ["", ".", "__MACOSX/"])
def test_a_member_thousands_of_folders_deep_is_refused_by_depth(tmp_path, make, hidden):
    for name in (hidden + "a/" * 3000 + "b.jpg", hidden + "a/" * 65 + "b.txt"):
        with (
            pytest.raises(DataError, match=r"a member lies [\d,]+ folders deep, more than 64"),
            unpacked(make(tmp_path / "deep.zip", {name: b"x"})),
        ):
            pass


def test_members_as_deep_as_allowed_are_written(tmp_path):
    with unpacked(make_zip(tmp_path / "a.zip", {"a/" * 64 + "b.jpg": b"x"})) as found:
        assert (found.folder / ("a/" * 64 + "b.jpg")).read_bytes() == b"x"


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_dicom_without_an_ending_comes_out_other_files_without_one_do_not(tmp_path, make):
    dicom = bytes(128) + b"DICM" + bytes(3_000_000)
    archive = make(tmp_path / "study.x", {"a/IM1": dicom, "a/README": b"text", "a/1.2.7": dicom})
    with unpacked(archive) as result:
        files = [path for path in result.folder.rglob("*") if path.is_file()]
        assert sorted(path.name for path in files) == ["1.2.7", "IM1"]
        assert {path.read_bytes() for path in files} == {dicom}
        assert result.others == {"": 1}


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_endings_are_those_of_the_file_and_not_of_its_folder(tmp_path, make):
    with unpacked(
        make(tmp_path / "x.zip", {"shop.jpg.d/README": b"text", "shop.jpg.d/a.pdf": b"x"})
    ) as result:
        assert result.others == {"": 1, ".pdf": 1}
        assert list(result.folder.iterdir()) == []


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_labels_without_an_ending_come_out_by_the_name_of_the_file_itself(tmp_path, make):
    kept = "mnist/raw/labels-idx1-ubyte"
    path = make(tmp_path / "x.zip", {kept: b"x", "labels-idx1-ubyte/train-00000-of-00002/README": b"text"})
    assert written(path) == [kept]


def test_progress_is_told_every_thousand_members(tmp_path):
    told = []
    path = make_zip(tmp_path / "many.zip", {f"{number}.jpg": b"" for number in range(2001)})
    assert len(written(path, progress=lambda *stage: told.append(stage))) == 2001
    assert told == [("unpack", 1000, None), ("unpack", 2000, None)]


def test_members_that_are_the_folder_itself_are_passed_over(tmp_path):
    assert written(make_zip(tmp_path / "a.zip", {"./": b"", "cat/1.jpg": b"x"})) == ["cat/1.jpg"]


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_empty_folders_are_made_and_hidden_ones_are_not(tmp_path, make):
    path = tmp_path / "a.zip"
    if make is make_zip:
        make_zip(path, {"cat/": b"", ".cache/": b"", "dog/1.jpg": b"x"})
    else:
        make_tar(path, {"dog/1.jpg": b"x"})
        with tarfile.open(path, "a") as archive:
            for name in ("cat", ".cache"):
                folder = tarfile.TarInfo(name)
                folder.type = tarfile.DIRTYPE
                archive.addfile(folder)
    with unpacked(path) as result:
        assert sorted(one.name for one in result.folder.iterdir()) == ["cat", "dog"]
