"""Tags as names and as a matrix."""

from fieldguide.tasks.tags import ABSENT, NOT_KNOWN, PRESENT, Tags, indicators, names_of


def test_names_are_sorted_once_each_and_what_is_present_is_known():
    tags = Tags.of(["sea", "dog", "sea", ""], ["dog", "cat", ""])
    assert tags == Tags(("dog", "sea"), ("cat",))


def test_the_matrix_says_present_absent_and_not_known():
    matrix = indicators([Tags(("dog",), ("sea",)), Tags()], ["cat", "dog", "sea"])
    assert matrix.tolist() == [[ABSENT, PRESENT, NOT_KNOWN], [ABSENT] * 3]


def test_tags_that_are_not_among_the_names_are_left_out():
    assert indicators([Tags(("dog", "fox"), ("elk",))], ["dog"]).tolist() == [[PRESENT]]


def test_a_tag_that_no_photo_surely_has_is_none():
    assert names_of([Tags(("dog",), ("sea",)), Tags()]) == ("dog",)
