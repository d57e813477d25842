"""Doubts are data."""

from fieldguide.data.plausibility.doubts import CODES, Doubt


def test_as_json():
    assert Doubt("class_lost", "no image of 'cat' could be read", grave=True).as_dict() == {
        "code": "class_lost",
        "message": "no image of 'cat' could be read",
        "grave": True,
    }


def test_every_code_says_what_it_means():
    assert all(meaning and "\n" not in meaning for meaning in CODES.values())
