"""sort.py: every photo in one place, none lost, none twice, whenever the run is killed."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import sorting_killed
from fieldguide.errors import DataError, OutputError
from fieldguide.prediction.inputs import Inputs, find_inputs
from fieldguide.prediction.sorting import sort
from fieldguide.prediction.sorting.sort import sort_photos
from fieldguide.prediction.sorting.table import read_table
from sorting_killed import ByName, contents, write_photos

POSIX = pytest.mark.skipif(os.name != "posix", reason="processes are forked")


@pytest.fixture
def home(tmp_path):
    write_photos(tmp_path, 40)
    return tmp_path


def run(home, by="copy", model=None, **options):
    return sort_photos(
        model or ByName(), lambda: find_inputs([home / "photos"]), home / "sorted", by=by, **options
    )


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("by", ["copy", "hardlink", "move"])
def test_photos_are_sorted_with_their_sidecars_and_a_table(by, home):
    before = contents(home / "photos")
    result = run(home, by)
    assert result.counts == {by: 44}
    assert contents(home / "sorted") == before
    assert contents(home / "photos") == ([] if by == "move" else before)
    assert {path.name for path in (home / "sorted").iterdir()} == {
        *("cat", "dog", "a_b", "unknown", "sorted.csv")
    }
    rows = read_table(home / "sorted" / "sorted.csv")
    assert rows == result.photos
    assert all((home / "sorted" / row.target).is_file() for row in rows)
    assert result.as_dict() == {
        "counts": {by: 44},
        "tables": [str(home / "sorted" / "sorted.csv")],
        "dry_run": False,
    }


def test_a_dry_run_says_the_same_and_writes_nothing(home):
    planned = run(home, dry_run=True)
    assert not (home / "sorted").exists()
    assert [row.target for row in planned.photos] == [row.target for row in run(home).photos]
    assert planned.dry_run


def test_a_second_copy_finds_all_there_and_leaves_no_second_table(home):
    run(home)
    before = files(home / "sorted")
    again = run(home)
    assert (again.counts, again.tables) == ({"present": 44}, [])
    assert files(home / "sorted") == before


def test_new_photos_come_with_a_table_of_their_own(home):
    run(home)
    (home / "photos" / "p900.jpg").write_bytes(b"new")
    again = run(home)
    assert again.counts == {"present": 44, "copy": 1}
    assert [path.name for path in again.tables] == ["sorted-2.csv"]


def test_nothing_found_is_said(home):
    shutil.rmtree(home / "photos")
    (home / "photos").mkdir()
    with pytest.raises(DataError, match="no image"):
        run(home)
    assert not (home / "sorted").exists()


class Stops(BaseException):
    """Ends a run, as Ctrl-C does."""


def stop_after(monkeypatch, number):
    """Let that many photos be placed."""
    real, left = sort.place, [number]

    def place(*given):
        left[0] -= 1
        if left[0] < 0:
            raise Stops
        return real(*given)

    monkeypatch.setattr(sort, "place", place)
    return real


def stopped(home, monkeypatch, by="move"):
    real = stop_after(monkeypatch, 13)
    with pytest.raises(Stops):
        run(home, by)
    monkeypatch.setattr(sort, "place", real)


def test_a_run_that_was_stopped_goes_on_and_takes_what_is_new(home, monkeypatch):
    before = contents(home / "photos")
    stopped(home, monkeypatch)
    assert sorted(contents(home / "photos") + contents(home / "sorted")) == before
    (home / "photos" / "p900.jpg").write_bytes(b"new")
    result = run(home, "move")
    assert result.counts == {"move": 45}
    assert [path.name for path in result.tables] == ["sorted.csv", "sorted-2.csv"]
    assert len(contents(home / "sorted")) == 45
    assert contents(home / "photos") == []


def test_an_unfinished_run_is_not_mixed_with_another(home, monkeypatch):
    stopped(home, monkeypatch)
    other = ByName()
    other.digest = "0" * 64
    for model, by in ((other, "move"), (None, "copy")):
        with pytest.raises(OutputError, match="is unfinished; finish it as it was begun, or undo it"):
            run(home, by, model)
    assert any("unfinished" in note for note in run(home, "move", dry_run=True).notes)


def test_a_run_that_was_stopped_before_its_end_was_noted_only_writes_the_table(home, monkeypatch):
    monkeypatch.setattr(sort, "write_table", stop_after_all)
    with pytest.raises(Stops):
        run(home, "move")
    monkeypatch.undo()
    result = run(home, "move")  # there is no photo left to be found
    assert result.counts == {"move": 44}
    assert len(read_table(home / "sorted" / "sorted.csv")) == 44


def stop_after_all(photos, path):
    raise Stops


def test_a_plan_that_was_stopped_goes_on_where_it_was(home):
    class StopsModel(ByName):
        def predict_stream(self, sources, *, top=5):
            for number, answer in enumerate(super().predict_stream(sources)):
                if number == 10:
                    raise Stops
                yield answer

    with pytest.raises(Stops):
        run(home, model=StopsModel())
    assert files(home / "sorted") == ["sorted.csv.partial"]
    asked = []

    class Counts(ByName):
        def predict_stream(self, sources, *, top=5):
            asked.extend(sources)
            return super().predict_stream(sources)

    assert run(home, model=Counts()).counts == {"copy": 44}
    assert len(asked) == 30


def test_a_name_that_is_taken_meanwhile_gives_way(home, monkeypatch):
    real = sort.place

    def place(photo, file, target, scratch):
        if photo.source.endswith("p0.jpg") and not target.exists() and target.stem == "p0":
            target.write_bytes(b"somebody else's")
        return real(photo, file, target, scratch)

    monkeypatch.setattr(sort, "place", place)
    before = contents(home / "photos")
    result = run(home, "move")
    assert result.counts == {"move": 44}
    rest = [one for one in contents(home / "sorted") if one in before]
    assert rest == before
    first = [row for row in result.photos if "/0/p0.jpg" in row.source]
    assert first[1].target == f"{first[0].target}.xmp"


def test_a_full_disk_stops_the_run_and_it_goes_on(home, monkeypatch):
    real, left = os.fsync, [20]

    def fsync(descriptor):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OutputError, match="make room and run the same command again"):
        run(home)
    monkeypatch.undo()
    assert run(home).counts == {"copy": 44}
    assert contents(home / "sorted") == contents(home / "photos")


def test_photos_of_an_archive_are_copied(home):
    with zipfile.ZipFile(home / "p.zip", "w") as archive:
        archive.write(home / "photos" / "0" / "p1.jpg", "in/p1.jpg")

    def find():
        return Inputs([sort_item(home)])

    result = sort_photos(ByName(), find, home / "sorted")
    (row,) = result.photos
    assert (row.how, row.target, row.source) == ("unpack", "dog/p1.jpg", f"{home}/p.zip/in/p1.jpg")


def sort_item(home):
    from fieldguide.prediction.inputs import EmbeddedImage

    return EmbeddedImage(f"{home}/p.zip/in/p1.jpg", str(home / "photos" / "0" / "p1.jpg"))


def killed(home, what, most, seed=0):
    """How many kills the program of that name took."""
    program = [sys.executable, sorting_killed.__file__, home, what, seed, most]
    done = subprocess.run(list(map(str, program)), capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def survives(home, what, photos, most):
    write_photos(home, photos)
    before = contents(home / "photos")
    original = files(home / "photos")
    kills = killed(home, what, most)
    assert contents(home / "sorted") == before
    assert contents(home / "photos") == (before if what in ("copy", "hardlink") else [])
    assert [path.name for path in (home / "sorted").iterdir() if path.is_file()] == ["sorted.csv"]
    assert len(read_table(home / "sorted" / "sorted.csv")) == len(before)
    kills += killed(home, "undo", most)
    assert files(home / "sorted") == ["sorted.csv"]
    assert files(home / "photos") == original
    assert contents(home / "photos") == before
    return kills


@POSIX
@pytest.mark.parametrize("what", ["copy", "hardlink", "move", "far"])
def test_killed_at_any_moment_no_photo_is_lost_or_twice(what, tmp_path):
    assert survives(tmp_path, what, 200, 300) > 3


@POSIX
@pytest.mark.long
@pytest.mark.parametrize("what", ["copy", "hardlink", "move", "far"])
def test_ten_thousand_photos_survive_kills(what, tmp_path):
    assert survives(tmp_path, what, 10_000, 9_000) > 5


def test_the_table_names_paths_in_full(home, monkeypatch):
    monkeypatch.chdir(home)
    sort_photos(ByName(), lambda: find_inputs(["photos"]), Path("sorted"))
    rows = read_table(Path("sorted", "sorted.csv"))
    assert all(Path(row.source).is_absolute() and Path(row.source).exists() for row in rows)
