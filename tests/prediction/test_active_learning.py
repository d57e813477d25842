"""What to label next: unsure, strange and different photos first, always the same ones."""

from dataclasses import dataclass

import numpy as np
import pytest

from fieldguide.errors import DataError, OptionError, Refusal
from fieldguide.prediction.active_learning import farthest_first, next_to_label
from fieldguide.prediction.predictor import PredictionInput
from fieldguide.prediction.result import DecisionRule, TagDecisionRule, refused

JUDGE = DecisionRule(("ant", "bee", "cow"), 0.01, None, 2)
TAG_JUDGE = TagDecisionRule(
    ("ant", "bee", "cow"), 0.01, None, 2, given_from=np.array([0.3, 0.3, 0.3], np.float32)
)


@dataclass(frozen=True)
class Photo:
    path: str
    probabilities: tuple[float, float, float]
    kind: int
    typicality: float = 0.5


class Model:
    """Answers as the photos say; photos of one kind look nearly the same to it."""

    def __init__(self, photos, judge=JUDGE):
        self.judge = judge
        self.photos = {photo.path: photo for photo in photos}

    @property
    def classes(self):
        return JUDGE.classes

    def seen_stream(self, sources, *, top=5):
        for source in sources:
            if isinstance(source, Refusal):
                yield PredictionInput(refused(source.path, source.code, source.message))
                continue
            photo = self.photos[source]
            answer = self.judge(
                photo.path, np.array(photo.probabilities, np.float32), np.float32(photo.typicality)
            )
            look = np.random.default_rng(photo.kind).normal(0, 1, 40)
            look += np.random.default_rng(len(photo.path)).normal(0, 0.01, 40)
            yield PredictionInput(answer, look.astype(np.float32))


def chosen(photos, count=50):
    return next_to_label(Model(photos), [photo.path for photo in photos], count=count).photos


SURE, UNSURE = (0.98, 0.01, 0.01), (0.40, 0.35, 0.25)


def test_the_unsure_and_the_strange_come_before_the_sure():
    photos = [Photo(f"sure {number}", SURE, number) for number in range(20)]
    photos += [Photo("unsure", UNSURE, 50), Photo("strange", SURE, 51, typicality=0.0)]
    first = chosen(photos, 2)
    assert {photo.path for photo in first} == {"unsure", "strange"}
    reasons = {photo.path: photo.reason for photo in first}
    assert reasons["unsure"] == "unsure: 'ant' 0.40 or 'bee' 0.35"
    assert reasons["strange"] == "unlike the photos learned from (typicality 0.000)"


def test_no_kind_comes_twice_while_others_wait():
    photos = [Photo(f"{'x' * number}", UNSURE, number % 5) for number in range(1, 41)]
    first = chosen(photos, 5)
    assert {len(photo.path) % 5 for photo in first} == {0, 1, 2, 3, 4}
    # Uncertainty alone would not tell these photos apart.
    assert len({photo.margin for photo in chosen(photos)}) == 1


def test_the_same_photos_give_the_same_list():
    photos = [Photo(f"{number}", (0.5, 0.3, 0.2), number) for number in range(30)]
    assert chosen(photos, 10) == chosen(photos, 10)


def test_refused_photos_are_listed_and_the_rest_is_chosen_from():
    photo = Photo("a", UNSURE, 1)
    gone = Refusal("gone.jpg", "missing", "there is no such file")
    found = next_to_label(Model([photo]), [gone, "a"], count=5)
    assert [suggestion.path for suggestion in found.photos] == ["a"]
    assert (found.refused, found.seen) == ((gone,), 1)
    with pytest.raises(DataError, match=r"none of the 1 photos could be read; the first: gone.jpg"):
        next_to_label(Model([]), [gone])
    with pytest.raises(OptionError, match="1 or more, got 0"):
        next_to_label(Model([photo]), ["a"], count=0)


def test_every_photo_is_listed_once_even_where_all_are_equal():
    photos = [Photo(f"{number:02}", SURE, 1) for number in range(12)]
    assert sorted(photo.path for photo in chosen(photos)) == [f"{number:02}" for number in range(12)]


def test_distances_are_those_of_the_outer_products():
    chance = np.random.default_rng(0)
    doubts, directions = chance.normal(0, 1, (25, 4)), chance.normal(0, 1, (25, 6))
    points = np.einsum("ni,nj->nij", doubts, directions).reshape(25, -1)
    order, gaps = farthest_first(doubts.astype(np.float32), directions.astype(np.float32), 25)
    assert sorted(order) == list(range(25))
    for done, (place, gap) in enumerate(zip(order, gaps, strict=True)):
        others = [np.zeros(24), *points[order[:done]]]
        nearest = [min(np.linalg.norm(point - other) for other in others) for point in points]
        assert gap == pytest.approx(nearest[place], rel=1e-3)
        assert gap == pytest.approx(
            max(nearest[row] for row in range(25) if row not in order[:done]), rel=1e-3
        )


def chosen_for_tags(photos, count=50):
    return next_to_label(Model(photos, TAG_JUDGE), [photo.path for photo in photos], count=count).photos


def test_photos_with_many_doubtful_tags_come_before_those_with_one():
    photos = [Photo(f"sure {number}", (0.98, 0.97, 0.01), number) for number in range(20)]
    photos += [Photo("one", (0.5, 0.98, 0.01), 50), Photo("three", (0.5, 0.45, 0.55), 51)]
    first, second = chosen_for_tags(photos, 2)
    assert (first.path, second.path) == ("three", "one")
    assert first.reason == "unsure of 'ant' 0.50, 'bee' 0.45, 'cow' 0.55"
    assert second.reason == "unsure of 'ant' 0.50"
    assert first.expected_wrong == pytest.approx(0.5 + 0.45 + 0.45)
    assert second.suggested == ("bee", "ant")


def test_tags_with_the_same_probabilities_are_spread_by_what_the_photos_show():
    photos = [Photo(f"{'x' * number}", (0.5, 0.9, 0.1), number % 5) for number in range(1, 41)]
    assert {len(photo.path) % 5 for photo in chosen_for_tags(photos, 5)} == {0, 1, 2, 3, 4}


def test_photos_without_any_tag_are_suggested_as_such():
    (photo,) = chosen_for_tags([Photo("bare", (0.01, 0.02, 0.03), 1)])
    assert (photo.suggested, photo.guess, photo.reason) == ((), "no tags", "no tags, unlike those above")
    assert photo.as_dict()["suggested"] == ""
