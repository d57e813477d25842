"""The same photo again, re-encoded, resized or cropped, is found; look-alikes are not."""

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from fieldguide.data import duplicates
from fieldguide.data.duplicates import SAME, SIGNATURE_BYTES, near_duplicates, signature, similar_pairs
from fieldguide.images.preprocessing import Preprocessing
from made_photos import TWINS, encoded, photo

SHARED = Path(__file__).parents[3] / "shared/data"

SQUARE = Preprocessing(288)


def described(images):
    return np.stack([signature(SQUARE.resize(image)) for image in images])


def found_share(originals, copies, places):
    """Share of twins paired with their original, and the pairs among originals alone."""
    pairs = {tuple(pair) for pair in near_duplicates(np.concatenate([originals, copies])).tolist()}
    hits = [(place, len(originals) + number) in pairs for number, place in enumerate(places)]
    return np.mean(hits), [pair for pair in pairs if pair[1] < len(originals)]


@pytest.fixture(scope="module")
def photos():
    return [photo(seed) for seed in range(120)]


@pytest.mark.parametrize("kind", TWINS)
def test_twins_of_made_up_photos_are_found(photos, kind):
    chance = np.random.default_rng(0)
    copies = described([TWINS[kind](image, chance) for image in photos])
    share, false = found_share(described(photos), copies, range(len(photos)))
    assert share >= 0.95
    assert false == []


@pytest.mark.shared
@pytest.mark.parametrize(("folder", "most_pairs"), [("clothing/train", 40), ("sign_digits", 5)])
def test_twins_of_real_photos_are_found_and_look_alikes_are_not(folder, most_pairs):
    if not (SHARED / folder).is_dir():
        pytest.skip("the shared photos are not here")
    chance = np.random.default_rng(0)
    files = sorted((SHARED / folder).glob("*/*"))
    files = [files[place] for place in sorted(chance.choice(len(files), 500, replace=False))]
    images = [Image.open(file).convert("RGB") for file in files]
    originals = described(images)
    for twin in TWINS.values():
        places = chance.choice(len(images), 100, replace=False)
        share, false = found_share(
            originals, described([twin(images[place], chance) for place in places]), places
        )
        assert share >= 0.95
        assert len(false) <= most_pairs * (500 / 2500) ** 2 + 3  # of 124,750 pairs: 0.1 % would be 125


def test_one_shape_moved_or_recoloured_is_another_photo():
    def table(colour, shift):
        image = Image.new("RGB", (288, 288), (150, 20, 60))
        ImageDraw.Draw(image).rectangle((80 + shift, 80, 200 + shift, 240), fill=colour)
        return image

    looks = [
        table((240, 240, 240), 0),
        table((240, 240, 40), 0),
        table((40, 60, 200), 0),
        table((240, 240, 240), 60),
    ]
    assert len(near_duplicates(described(looks))) == 0


def test_flat_images_pair_by_colour_only():
    def flat(*colour):
        return np.full((64, 64, 3), colour, np.uint8)

    noise = np.random.default_rng(0).integers(0, 2, (64, 64, 3), dtype=np.uint8)
    images = [flat(10, 10, 10), flat(200, 200, 200), flat(10, 10, 10) + noise, flat(200, 10, 10)]
    assert near_duplicates(np.stack([signature(image) for image in images])).tolist() == [[0, 2]]


def test_equal_signatures_are_paired_with_the_first():
    one, two = described([photo(1), photo(2)])
    alike = similar_pairs(np.stack([one, two, one, one, two]))
    assert alike.pairs.tolist() == [[0, 2], [0, 3], [1, 4]]
    assert alike.scores.tolist() == [1.0, 1.0, 1.0]


def test_thousands_of_copies_cost_a_pair_each():
    start = time.perf_counter()
    assert len(near_duplicates(np.repeat(described([photo(1)]), 20_000, axis=0))) == 19_999
    assert time.perf_counter() - start < 5


def test_pairs_are_ordered_and_scores_fall(photos):
    duplicate_index = described([encoded(image, 30) for image in photos])
    alike = similar_pairs(np.concatenate([described(photos), duplicate_index]))
    assert (alike.pairs[:, 0] < alike.pairs[:, 1]).all()
    assert (np.diff(alike.scores) <= 0).all()
    assert alike.scores.min() >= SAME


def test_order_of_images_does_not_change_what_is_found(photos):
    signatures = described([*photos, *(encoded(image, 70) for image in photos)])
    order = np.random.default_rng(0).permutation(len(signatures))
    straight = {tuple(pair) for pair in near_duplicates(signatures).tolist()}
    shuffled = {tuple(sorted(order[pair].tolist())) for pair in near_duplicates(signatures[order])}
    assert straight == shuffled


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (31, 33, 3), (224, 224, 3), (240, 320, 3)])
def test_signature_of_any_size_has_one_length(shape):
    image = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    result = signature(image)
    assert (result.shape, result.dtype) == ((SIGNATURE_BYTES,), np.uint8)
    assert SIGNATURE_BYTES <= 1024


def test_signature_values_do_not_overflow():
    for colour in ((255, 255, 255), (0, 0, 0), (255, 0, 0), (0, 0, 255)):
        image = np.full((288, 288, 3), colour, np.uint8)
        values = signature(image).view("<i2").astype(float)
        brightness = np.dot(colour, (0.299, 0.587, 0.114))
        assert values[0] == pytest.approx(brightness * 32 * 4, abs=1)
        assert np.abs(values[1:256]).max() <= 1
        assert np.sign(values[256]) == np.sign(round(colour[2] - brightness))


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_images_have_no_pairs(count):
    assert near_duplicates(described([photo(1)])[:count]).shape == (0, 2)


def test_signatures_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"of shape \(n_images, 768\), got \(3, 9\)"):
        near_duplicates(np.zeros((3, 9), np.uint8))


def test_blocks_do_not_change_the_candidates(photos):
    directions = duplicates._directions(described(photos).view("<i2"))
    alike = directions @ directions.T
    expected = set()
    for row in range(len(photos)):
        later = [
            (-alike[row, place], place) for place in range(row + 1, len(photos)) if alike[row, place] > 0.85
        ]
        expected |= {(row, place) for _, place in sorted(later)[: duplicates.NEIGHBOURS]}
    for rows in (7, 1024):
        assert set(map(tuple, duplicates._candidates(directions, rows).tolist())) == expected


@pytest.mark.long
def test_a_hundred_thousand_images_take_less_than_two_minutes():
    chance = np.random.default_rng(0)
    scale = 4000 / (1 + np.add.outer(np.arange(16) ** 1.5, np.arange(16) ** 1.5)).ravel()
    values = chance.standard_normal((100_000, 384)) * np.concatenate([scale, np.full(128, 30.0)])
    values[:, 1] += 6000  # what all images share, as photos on one table do
    signatures = values.astype("<i2").view(np.uint8)
    signatures[50_000:50_100] = signatures[:100]
    start = time.perf_counter()
    pairs = near_duplicates(signatures)
    assert time.perf_counter() - start < 120
    assert {(place, 50_000 + place) for place in range(100)} <= {tuple(pair) for pair in pairs.tolist()}
