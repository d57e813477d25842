"""Splits: stratified, seeded, and nothing that belongs together on two sides."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from fieldguide.data.duplicates import signature
from fieldguide.data.splits import (
    LARGEST_CHAIN,
    classes_without,
    duplicate_groups,
    fold_groups,
    label_conflicts,
    split_groups,
)
from fieldguide.errors import OptionError

columns = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=1, max_size=60)


def spread(groups, sides):
    """The largest number of sides that one group lies on."""
    return max(len(set(sides[groups == group].tolist())) for group in np.unique(groups))


def noise(count, seed=0):
    """Signatures of images that have nothing in common."""
    chance = np.random.default_rng(seed)
    small = chance.integers(0, 255, (count, 6, 6, 3), dtype=np.uint8)
    pictures = [Image.fromarray(image).resize((64, 64), Image.Resampling.BICUBIC) for image in small]
    return np.stack([signature(np.asarray(picture)) for picture in pictures])


def film(frames, step):
    """Signatures of a film in which a disc crosses a striped wall."""
    result = []
    for frame in range(frames):
        image = Image.new("RGB", (288, 288), (90, 90, 90))
        draw = ImageDraw.Draw(image)
        for stripe in range(0, 288, 48):
            draw.rectangle((stripe, 0, stripe + 20, 288), fill=(stripe // 2, 60, 120))
        x = 20 + step * frame
        draw.ellipse((x - 40, 100, x + 40, 180), fill=(240, 230, 60))
        result.append(signature(np.asarray(image)))
    return np.stack(result)


def test_groups_join_by_content_by_name_and_by_likeness():
    signatures = noise(8)
    signatures[6] = signatures[1]
    digests = ["a", "b", "c", "a", "d", "e", "f", "g"]
    names = ["", "", "p1", "", "p1", "p2", "", ""]
    assert duplicate_groups(8, digests, signatures, names).tolist() == [0, 1, 2, 0, 2, 3, 1, 4]
    assert duplicate_groups(8, digests, signatures).tolist() == [0, 1, 2, 0, 3, 4, 1, 5]


def test_joins_are_transitive():
    signatures = noise(4)
    signatures[2] = signatures[1]
    assert duplicate_groups(4, ["a", "a", "b", "c"], signatures, ["", "", "p", "p"]).tolist() == [0, 0, 0, 0]


def test_a_chain_of_look_alikes_does_not_become_one_blob():
    signatures = film(240, step=1)
    groups = duplicate_groups(240, [str(frame) for frame in range(240)], signatures)
    sizes = np.bincount(groups)
    assert (groups[1:] == groups[:-1]).mean() > 0.8  # neighbours stay together nearly everywhere …
    assert sizes.max() <= 240 // 3  # … yet the film falls into several parts


def test_many_true_copies_stay_together_beyond_the_largest_chain():
    count = 3 * LARGEST_CHAIN
    copies = np.repeat(film(1, step=1), count, axis=0).view("<i2").copy()
    copies[:, 30] += np.arange(count, dtype=np.int16)  # no two quite equal, as after re-encoding
    assert set(duplicate_groups(count, [str(n) for n in range(count)], copies.view(np.uint8)).tolist()) == {0}


def test_a_pair_that_was_found_is_joined_however_alike_its_images_are():
    """Only a chain beyond its limit looks again."""
    pairs = np.array([[0, 2]])
    assert duplicate_groups(3, ["a", "b", "c"], noise(3), pairs=pairs).tolist() == [0, 1, 0]


def test_lengths_are_checked():
    with pytest.raises(ValueError, match="digests must hold one entry an image, 3, got 1"):
        duplicate_groups(3, ["a"], noise(3))
    with pytest.raises(ValueError, match="groups must hold one entry an image, 2, got 1"):
        split_groups(["a", "b"], [0], 0.5, 0)
    with pytest.raises(ValueError, match="zip"):
        classes_without(["a"], np.array([True, False]))


def test_conflicts_name_all_places_of_the_content():
    assert label_conflicts(["x", "y", "x", "z", "z", "x"], ["a", "a", "b", "c", "c", "a"]) == [(0, 2, 5)]


def test_split_is_stratified_to_the_image():
    labels = ["a"] * 100 + ["b"] * 50 + ["c"] * 10
    held = split_groups(labels, range(160), 0.2, seed=3)
    assert [int(held[np.array(labels) == name].sum()) for name in "abc"] == [20, 10, 2]


def test_split_is_seeded():
    labels = ["a"] * 50 + ["b"] * 50
    first, again, other = (split_groups(labels, range(100), 0.3, seed) for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()


def test_order_of_images_beyond_the_seed_is_not_used():
    """Group numbers may be any integers."""
    labels = list("aabbaabb")
    groups = np.array([0, 0, 1, 1, 2, 3, 4, 5])
    assert (
        split_groups(labels, groups, 0.5, 0).tolist() == split_groups(labels, groups * 7 - 3, 0.5, 0).tolist()
    )


@given(columns, st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.integers(0, 5))
def test_split_keeps_groups_and_leaves_every_class_in_training(rows, fraction, seed):
    labels, groups = [label for label, _ in rows], np.array([group for _, group in rows])
    held = split_groups(labels, groups, fraction, seed)
    assert spread(groups, held) == 1
    assert set(np.array(labels)[~held]) == set(labels)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 6)), min_size=1, max_size=30), st.integers(0, 5)
)
def test_every_class_with_two_groups_of_its_own_is_held_out(bundles, seed):
    labels = [label for label, size in bundles for _ in range(size)]
    groups = np.repeat(np.arange(len(bundles)), [size for _, size in bundles])
    held = split_groups(labels, groups, 0.2, seed)
    single = {label for label, _ in bundles if [name for name, _ in bundles].count(label) == 1}
    assert set(classes_without(labels, held)) == single


def test_large_groups_do_not_overshoot():
    labels = ["a"] * 100
    groups = [0] * 60 + list(range(1, 41))
    assert split_groups(labels, groups, 0.2, 0)[:60].sum() == 0
    assert split_groups(labels, groups, 0.2, 0).sum() == 20


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_fraction_out_of_range(fraction):
    with pytest.raises(OptionError, match="fraction must be more than 0 and less than 1"):
        split_groups(["a", "b"], [0, 1], fraction, 0)


def test_nothing_to_split():
    with pytest.raises(OptionError, match="nothing to split"):
        split_groups([], [], 0.5, 0)


def test_folds_are_stratified_to_the_image():
    labels = np.array(["a"] * 100 + ["b"] * 50 + ["c"] * 5)
    folds = fold_groups(labels.tolist(), range(155), 5, seed=1)
    for name, each in (("a", 20), ("b", 10), ("c", 1)):
        assert np.bincount(folds[labels == name]).tolist() == [each] * 5


def test_the_largest_groups_are_dealt_first():
    folds = fold_groups(["a"] * 12, [0] * 6 + list(range(1, 7)), 2, seed=0)
    assert np.bincount(folds).tolist() == [6, 6]


def test_a_rare_class_counts_as_much_as_a_common_one():
    """Of the two photos of b, which come with some of a, each is in a fold of its own."""
    folds = fold_groups(list("aaaaaaabab"), [0] * 5 + [1] * 3 + [2] * 2, 2, seed=0)
    assert folds[7] != folds[9]


def test_folds_are_seeded():
    labels = ["a"] * 30 + ["b"] * 30
    first, again, other = (fold_groups(labels, range(60), 3, seed) for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()


@given(columns, st.integers(2, 6), st.integers(0, 5))
def test_folds_keep_groups_and_none_is_empty(rows, folds, seed):
    labels, groups = [label for label, _ in rows], np.array([group for _, group in rows])
    separate = len(set(groups.tolist()))
    if separate < folds:
        with pytest.raises(OptionError, match=f"which is {separate}, got {folds}"):
            fold_groups(labels, groups, folds, seed)
        return
    result = fold_groups(labels, groups, folds, seed)
    assert spread(groups, result) == 1
    assert set(result.tolist()) == set(range(folds))


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 6)), min_size=3, max_size=30), st.integers(0, 5)
)
def test_every_class_is_in_as_many_folds_as_its_groups_allow(bundles, seed):
    labels = np.array([label for label, size in bundles for _ in range(size)])
    groups = np.repeat(np.arange(len(bundles)), [size for _, size in bundles])
    folds = fold_groups(labels.tolist(), groups, 3, seed)
    for name in set(labels.tolist()):
        own = labels == name
        assert len(set(folds[own].tolist())) == min(3, len(set(groups[own].tolist())))


def test_one_image_a_class_is_dealt_without_complaint():
    folds = fold_groups([str(number) for number in range(7)], range(7), 3, 0)
    assert sorted(np.bincount(folds).tolist()) == [2, 2, 3]
    assert not split_groups([str(number) for number in range(7)], range(7), 0.3, 0).any()


def test_ten_thousand_classes_take_seconds():
    labels = [f"class {number % 10_000}" for number in range(50_000)]
    start = time.process_time()
    held = split_groups(labels, range(50_000), 0.2, 0)
    folds = fold_groups(labels, range(50_000), 5, 0)
    assert time.process_time() - start < 20
    assert held.sum() == 10_000
    assert np.bincount(folds).tolist() == [10_000] * 5
