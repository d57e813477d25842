"""Several files of a form as one, and several annotators as one."""

from collections import Counter
from pathlib import Path

from fieldguide.data.forms.records import Record, Records, joined, majority


def part(name, **more):
    return Records(f"table {name}", Path(), [Record(1, f"{name}.jpg", "cat")], **more)


def test_what_is_counted_and_said_is_kept():
    whole = joined(
        [
            part("a", has_splits=True, left_out=Counter(skipped=2), notes=["same"], classes=("cat",)),
            part("b", has_groups=True, left_out=Counter(skipped=1), notes=["same"], classes=("cat", "dog")),
        ]
    )
    assert whole.said == "table a; table b"
    assert [record.name for record in whole.records] == ["a.jpg", "b.jpg"]
    assert (whole.has_splits, whole.has_groups, whole.has_labels) == (True, True, True)
    assert whole.left_out == {"skipped": 3}
    assert whole.notes == ["same"]
    assert whole.classes == ("cat", "dog")


def test_one_file_without_labels_leaves_all_without():
    assert not joined([part("a"), part("b", has_labels=False)]).has_labels


def test_most_annotators_decide():
    assert majority(["cat", "dog", "cat"]) == "cat"
    assert majority(["cat"]) == "cat"
    assert majority(["cat", "dog"]) is None
    assert majority([]) is None
