"""What is asked of a photo, and that nobody is given what he does not handle."""

import pytest

from fieldguide.errors import DataError, OptionError
from fieldguide.tasks.task import EITHER, ONE_LABEL, Task, as_task, refuse_unsupported


def test_a_card_without_a_task_is_one_of_single_labels():
    assert Task.of_card({"classes": []}) is Task.SINGLE
    assert Task.of_card({"task": "multiple"}) is Task.MULTIPLE


@pytest.mark.parametrize("task", list(Task))
def test_what_is_handled_passes(task):
    refuse_unsupported(task, EITHER, "x", DataError)


def test_tags_are_refused_by_who_handles_labels_and_the_other_way_round():
    with pytest.raises(DataError, match="x: must have one label a photo here, got tags"):
        refuse_unsupported(Task.MULTIPLE, ONE_LABEL, "x", DataError)
    with pytest.raises(OptionError, match=r"x: must have tags .* here, got one label"):
        refuse_unsupported(Task.SINGLE, {Task.MULTIPLE}, "x", OptionError)


def test_another_word_is_no_task():
    with pytest.raises(OptionError, match="must be one of single, multiple, got 'both'"):
        as_task("both")
