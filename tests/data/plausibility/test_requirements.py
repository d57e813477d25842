"""What DATA must hold."""

from pathlib import Path

import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.data.plausibility.requirements import check_enough, check_task, unknown_form
from fieldguide.errors import DataError, Refusal
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import EITHER, ONE_LABEL

ROOT = Path("photos")
TAGGED = Dataset(ROOT, ("a.jpg",), ("",), tags=(Tags(("cat",)),))


def test_tags_are_given_to_who_handles_them():
    check_task(Path("t.csv"), TAGGED, EITHER)
    with pytest.raises(DataError, match=r"t\.csv: must have one label a photo here, got tags"):
        check_task(Path("t.csv"), TAGGED, ONE_LABEL)


def test_no_images_says_why():
    refused = Dataset(ROOT, (), (), refused=(Refusal("a.jpg", "missing", "there is none"),))
    with pytest.raises(DataError, match=r"got none but 1 refused, first 'a.jpg': there is none"):
        check_enough(ROOT, refused, (), 2)
    with pytest.raises(DataError, match=r"got none \(a note\)"):
        check_enough(ROOT, Dataset(ROOT, (), (), notes=("a note",)), (), 2)


def test_too_few_classes_or_tags():
    check_enough(ROOT, TAGGED, TAGGED.classes, 1)
    with pytest.raises(DataError, match=r"need two tags that photos to learn from have, got 1 \('cat'\)"):
        check_enough(ROOT, TAGGED, TAGGED.classes, 2)
    with pytest.raises(DataError, match=r"need two classes to tell apart, got 1 \('cat'\)"):
        check_enough(ROOT, Dataset(ROOT, ("a.jpg",), ("cat",)), ("cat",), 2)


def test_the_endings_that_are_read_are_named():
    assert ".csv" in unknown_form(Path("a.doc"))
