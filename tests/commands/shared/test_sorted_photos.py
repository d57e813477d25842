"""sorted_photos.py: what a sorting did, in words."""

from pathlib import Path

from fieldguide.commands.shared.sorted_photos import say_left, say_sorted, undo_line
from fieldguide.prediction.sorting.sort import SortResult
from fieldguide.prediction.sorting.table import SortedPhoto

COPIED = SortedPhoto("/x/a.jpg", "cat/a.jpg", "cat", 0.9, "copy")
LEFT = SortedPhoto("/x/b\x1b.jpg", "", "cat", 0.9, "left", note="it is a link")


def test_a_real_run_is_said_in_counts(capsys):
    done = SortResult([COPIED, LEFT], [Path("out/sorted.csv")], ["a note"])
    assert say_sorted(done, Path("out"), allow_refused=False) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[:3] == [
        "note: a note",
        "left /x/b\\x1b.jpg: it is a link",
        "out: 1 copied, 1 left where they are",
    ]
    assert "undo it with: " in said.err
    assert say_sorted(done, Path("out"), allow_refused=True) == 0


def test_a_dry_run_is_said_line_by_line(capsys):
    assert say_sorted(SortResult([COPIED], dry_run=True), Path("out"), allow_refused=False) == 0
    said = capsys.readouterr()
    assert said.out == f"copy\t/x/a.jpg\t{Path('out', 'cat', 'a.jpg')}\n"
    assert "1 copied (a dry run: nothing was done)" in said.err


def test_only_the_first_of_many_are_named(capsys):
    say_left([LEFT] * 25)
    assert capsys.readouterr().err.splitlines()[-1] == "and 5 more were left"


def test_the_command_that_undoes_is_quoted():
    assert undo_line(Path("my photos/sorted.csv")).endswith("undo 'my photos/sorted.csv'")
