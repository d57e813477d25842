"""journal.py: what was noted is there after a kill, what was torn is not believed."""

import pytest

from fieldguide.errors import OutputError
from fieldguide.prediction.sorting.journal import Planned, SortingJournal
from fieldguide.prediction.sorting.table import SortedPhoto

HEAD = {"fieldguide": "sorting", "version": 1}


def row(name, how="copy"):
    return SortedPhoto(f"/x/{name}", f"cat/{name}", "cat", 0.5, how)


@pytest.fixture
def path(tmp_path):
    """A journal of two photos, one of which is placed and one goes elsewhere."""
    with SortingJournal(tmp_path / "sorted.csv.partial") as journal:
        journal.begin(HEAD)
        journal.plan(Planned("a.jpg", [[row("a.jpg"), row("a.jpg.xmp")]]))
        journal.plan(Planned("b\udcff.jpg", [[row("b\udcff.jpg")]]))
        journal.seal()
        journal.done(0, [row("a.jpg", "present"), row("a.jpg.xmp")])
        journal.intend(1, [row("b-2.jpg")])
    return journal.path


def test_all_that_was_noted_is_read_back(path):
    with SortingJournal(path) as journal:
        state = journal.state
    assert (state.head, state.whole, len(state.planned), set(state.done)) == (HEAD, True, 2, {0})
    assert [photo.target for unit in state.units() for photo in unit] == [
        "cat/a.jpg",
        "cat/a.jpg.xmp",
        "cat/b-2.jpg",
    ]
    assert state.units()[0][0].how == "present"


def test_what_is_torn_is_cut_off_and_written_anew(path):
    whole = path.read_bytes()
    for length in range(0, len(whole), 11):
        path.write_bytes(whole[:length])
        with SortingJournal(path) as journal:
            assert len(path.read_bytes()) == whole[:length].rfind(b"\n") + 1
            assert journal.state.whole == (whole[:length].count(b"\n") >= 4)
            if journal.state.head is not None:
                journal.done(7, [row("z.jpg")])
                with SortingJournal(_copy(path)) as again:
                    assert again.state.done[7] == [row("z.jpg")]


def _copy(path):
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    return copy


def test_a_flipped_bit_is_noticed(path):
    whole = bytearray(path.read_bytes())
    whole[whole.index(b'"done"') + 20] ^= 1
    path.write_bytes(whole)
    with SortingJournal(path) as journal:
        assert (journal.state.whole, journal.state.done) == (True, {})


def test_two_runs_do_not_mix(path):
    with SortingJournal(path), pytest.raises(OutputError, match="another run is at work"):
        SortingJournal(path)


@pytest.mark.parametrize("text", [b"my notes\n", b"my notes, longer than a checksum is", b"{}\n"])
def test_another_file_is_not_taken_for_a_journal(text, path):
    path.write_bytes(text)
    with pytest.raises(OutputError, match="no journal that fieldguide wrote"):
        SortingJournal(path)
    assert path.read_bytes() == text


def test_a_link_is_not_followed_and_a_missing_one_is_said(tmp_path):
    (tmp_path / "mine").write_bytes(b"")
    (tmp_path / "j").symlink_to(tmp_path / "mine")
    for name in ("j", "gone"):
        with pytest.raises(OutputError, match="cannot be opened"):
            SortingJournal(tmp_path / name, new=False)


def test_a_full_disk_is_said(path, monkeypatch):
    with SortingJournal(path) as journal:

        class Full:
            def write(self, _):
                raise OSError(28, "No space left on device")

            def close(self):
                pass

        real, journal.file = journal.file, Full()
        with pytest.raises(OutputError, match="No space left on device"):
            journal.done(1, [row("b.jpg")])
        real.close()
