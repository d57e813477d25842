"""What can go wrong, in one wording."""

import inspect

import pytest

from fieldguide import errors
from fieldguide.errors import FieldguideError, Refusal, RefusedInput


def test_a_door_catches_all_but_what_concerns_one_image():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    outside = [kind for kind in kinds if not issubclass(kind, FieldguideError)]
    assert outside == [RefusedInput]
    assert len(kinds) > 5


def test_a_refused_image_says_code_and_sentence():
    with pytest.raises(RefusedInput, match="truncated: the file ends early") as caught:
        raise RefusedInput("truncated", "the file ends early")
    assert (caught.value.code, caught.value.message) == ("truncated", "the file ends early")


def test_a_refusal_is_three_fields_of_json():
    assert Refusal("a.jpg", "empty", "m").as_dict() == {"path": "a.jpg", "code": "empty", "message": "m"}
