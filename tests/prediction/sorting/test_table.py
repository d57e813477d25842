"""table.py: what is written is read back, and nothing else is believed."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldguide.errors import DataError
from fieldguide.prediction.sorting.table import HOWS, SortedPhoto, place_of, read_table, write_table

NAMES = st.one_of(st.text(max_size=30), st.binary(max_size=20).map(os.fsdecode), st.just("=1+1"))


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES, NAMES, st.sampled_from(HOWS)), min_size=1, max_size=5))
def test_every_row_is_read_back_exactly(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "sorted.csv"
    photos = [SortedPhoto(*row[:3], 0.25, row[3], 7, "ab", "note") for row in rows]
    write_table(photos, path)
    assert read_table(path) == photos


def test_what_is_not_known_stays_unknown(tmp_path):
    photo = SortedPhoto("/a.jpg", "", "refused", None, "left", note="it is a link")
    write_table([photo], tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv") == [photo]


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "\xff\xfe", 'source,target,answer,probability,how,bytes,sha256,note\n"a"\n']
)
def test_another_file_is_no_table(text, tmp_path):
    (tmp_path / "t.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match="must be a table that"):
        read_table(tmp_path / "t.csv")


def test_a_word_that_is_no_way_is_refused_and_a_missing_file_is_said(tmp_path):
    write_table([SortedPhoto("/a", "b/c", "cat", 1.0, "shred")], tmp_path / "t.csv")
    with pytest.raises(DataError, match="must be a table that"):
        read_table(tmp_path / "t.csv")
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path / "gone.csv")


@pytest.mark.parametrize("target", ["", "a", "../a", "a/..", "/a/b", "a/b/c", "./b", "a/b\0"])
def test_no_target_is_outside_the_folder(target):
    with pytest.raises(DataError, match="below the table's folder"):
        place_of(Path("x"), target)
    assert place_of(Path("x"), "a/b") == Path("x/a/b")
