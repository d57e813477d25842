"""folder_names.py: any label has a folder that every system allows, and no two share one."""

import itertools
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldguide.prediction.sorting.folder_names import (
    MOST_BYTES,
    REFUSED,
    UNKNOWN,
    changes,
    folder_names,
    key_of,
    numbered,
    safe_name,
)

HOSTILE = [
    "..",
    ".",
    "/",
    "",
    " ",
    "../../etc",
    "a\0b",
    "CON",
    "con.txt",
    "COM1",
    "LPT¹",
    "AUX ",
    ".hidden",
    "-rf",
    "x" * 5000,
    "x" * 4999 + "y",
    "猫" * 300,
    "unknown",
    "Unknown",
    "REFUSED",
    "é",
    "e\u0301",
    "cat",
    "CAT",
    "cat.",
    "cat ",
    "a/b",
    "a\\b",
    "a:b",
    "a_b",
    "A_B",
    "\u202egnp.jpg",
    "\x1b[2J",
    "\udcff",
    "\ud800",
    "sorted.csv",
    "sorted-2.csv.partial",
    "straße",
    "STRASSE",
    "ﬁsh",
    "fish",
]
LABELS = st.lists(st.one_of(st.text(max_size=60), st.sampled_from(HOSTILE)), max_size=30, unique=True)


def holds(names):
    """What must be so of any set of labels."""
    folders = list(names.values())
    assert len({key_of(name) for name in [*folders, UNKNOWN, REFUSED]}) == len(folders) + 2
    assert len({unicodedata.normalize("NFD", name).casefold() for name in folders}) == len(folders)
    for name in folders:
        assert name not in ("", ".", "..")
        assert not set(name) & set('<>:"/\\|?*\0')
        assert not any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in name)
        assert name.strip() == name
        assert not name.startswith((".", "-")) and not name.endswith(".")
        assert name.split(".")[0].strip().upper() not in ("CON", "PRN", "AUX", "NUL", "COM1", "LPT1", "LPT¹")
        assert len(name.encode()) <= MOST_BYTES + 4
        assert not name.lower().startswith("sorted.csv")


@settings(deadline=None)
@given(LABELS)
def test_any_labels_have_safe_folders_of_their_own(labels):
    names = folder_names(labels)
    assert list(names) == labels
    holds(names)
    assert names == folder_names(labels)


def test_hostile_labels_have_safe_folders_that_can_be_made(tmp_path):
    names = folder_names(HOSTILE)
    holds(names)
    for name in names.values():
        (tmp_path / name).mkdir()
    assert {path.name for path in tmp_path.iterdir()} == set(names.values())


def test_plain_labels_keep_their_names_and_others_are_said():
    names = folder_names(["a/b", "a_b", "Bücher", "T-shirt/top"])
    assert names == {"a/b": "a_b-2", "a_b": "a_b", "Bücher": "Bücher", "T-shirt/top": "T-shirt_top"}
    assert changes(names) == [
        "the folder of the label 'a/b' is called 'a_b-2'",
        "the folder of the label 'T-shirt/top' is called 'T-shirt_top'",
    ]


def test_long_labels_that_differ_at_their_ends_stay_apart():
    one, other = safe_name("x" * 500 + "1"), safe_name("x" * 500 + "2")
    assert one != other and one.startswith("x" * 50)


@pytest.mark.parametrize("name", ["a.jpg", "noending", "x" * 250 + ".jpg", os.fsdecode(b"\xff.png"), ".rc"])
def test_numbers_keep_endings_and_fit_a_disk(name):
    first, second, third = itertools.islice(numbered(name), 3)
    assert first == name
    assert len({second, third, name}) == 3
    assert len(os.fsencode(third)) <= 255
    assert second.endswith(Path(name).suffix)
