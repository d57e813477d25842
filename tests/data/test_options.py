"""What a person may say about DATA."""

import pytest

from fieldguide.data.options import DataOptions
from fieldguide.errors import OptionError


@pytest.mark.parametrize(
    ("given", "said"), [("(", "must be a regular expression"), ("a+", "must have a group")]
)
def test_an_expression_that_cannot_be_used_is_refused_at_once(given, said):
    with pytest.raises(OptionError, match=said):
        DataOptions(label_from=given)


def test_columns_are_those_that_were_named():
    assert DataOptions(label_column="breed").columns == {
        "path": None,
        "label": "breed",
        "split": None,
        "group": None,
    }
