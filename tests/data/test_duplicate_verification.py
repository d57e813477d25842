"""The second look: the same photo again agrees in detail, another thing laid out alike does not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from fieldguide.data import duplicate_verification
from fieldguide.data.duplicate_verification import AGREE, SURE, agreement, confirmed
from fieldguide.data.duplicates import SimilarPairs, compare, shifts, signature, similar_pairs
from fieldguide.data.image_facts import FACTS_PREPROCESSING
from fieldguide.data.leaks import Fingerprints, find_leaks
from made_photos import TWINS, photo

PAIR = np.array([[0, 1]])


def shirt(seed):
    """A shirt on a red table: nearly the same outline each time, another print."""
    chance = np.random.default_rng(seed)
    image = Image.new("RGB", (400, 530), (150, 20, 60))
    draw = ImageDraw.Draw(image)
    outline = [(60, 120), (150, 60), (250, 60), (340, 120), (300, 200), (280, 470), (120, 470), (100, 200)]
    draw.polygon([(x + chance.uniform(-5, 5), y + chance.uniform(-5, 5)) for x, y in outline], fill="white")
    for _ in range(30):
        x, y = chance.uniform((140, 130), (230, 300))
        draw.rectangle((x, y, x + chance.uniform(6, 30), y + chance.uniform(4, 12)), fill=(60, 60, 80))
    return image


def described(images):
    return np.stack([signature(FACTS_PREPROCESSING.resize(image)) for image in images])


def agreeing(one, other):
    return agreement(one, other, shifts(described([one, other]), PAIR)[0])


def saved(folder, images):
    folder.mkdir(exist_ok=True)
    paths = [str(folder / f"{number:02}.png") for number in range(len(images))]
    for image, path in zip(images, paths, strict=True):
        image.save(path)
    return paths


def test_shirts_that_differ_in_their_print_alone_pass_the_first_look_and_not_the_second(tmp_path):
    shirts = [shirt(seed) for seed in range(4)]
    signatures = described(shirts)
    found = similar_pairs(signatures)
    assert len(found.pairs) == 6 and (found.scores < SURE).all()  # what the second look is for
    assert len(confirmed(saved(tmp_path, shirts), signatures, found).pairs) == 0


@pytest.mark.parametrize("kind", TWINS)
def test_the_same_photo_again_agrees_in_detail(kind):
    chance = np.random.default_rng(0)
    for seed in range(12):
        for original in (photo(seed), shirt(seed)):
            assert agreeing(original, TWINS[kind](original, chance)) > AGREE


@pytest.mark.parametrize(
    "dulled",
    [
        lambda image: image.resize((24, 24)),
        lambda image: image.filter(ImageFilter.GaussianBlur(6)),
        lambda image: image.resize((20, 30)),
    ],
)
def test_a_thumbnail_and_a_blurred_copy_agree_although_they_lack_details(dulled, monkeypatch):
    originals = [make(seed) for make in (photo, shirt) for seed in range(4)]
    assert min(agreeing(original, dulled(original)) for original in originals) > AGREE
    monkeypatch.setattr(duplicate_verification, "DULLER", np.inf)
    assert min(agreeing(original, dulled(original)) for original in originals) < AGREE


def test_a_crop_is_laid_over_its_original():
    original = photo(3)
    width, height = original.size
    corner = original.crop((0, 0, round(0.95 * width), round(0.95 * height)))
    down, down_stretch, across, across_stretch = shifts(described([original, corner]), PAIR)[0]
    assert (down_stretch, across_stretch) == pytest.approx((-0.05, -0.05), abs=0.01)
    assert (down, across) == pytest.approx((-0.025, -0.025), abs=0.01)
    aligned, askew = (
        agreement(original, corner, np.array(shift)) for shift in ((-0.025, -0.05) * 2, (0.1, 0) * 2)
    )
    assert aligned > 0.95 > askew


def test_flat_images_cannot_be_refuted():
    one, other = (Image.new("RGB", (64, 64), (level,) * 3) for level in (100, 101))
    assert agreeing(one, other) > AGREE


def test_pairs_that_are_sure_are_not_opened_and_what_cannot_be_read_stays(tmp_path):
    shirts = [shirt(seed) for seed in range(2)]
    signatures = described([*shirts, shirts[0]])
    found = similar_pairs(signatures)
    gone = [str(tmp_path / f"{number}.png") for number in range(3)]
    assert confirmed(gone, signatures, found).pairs.tolist() == found.pairs.tolist()
    kept = confirmed([gone[0], *saved(tmp_path / "there", shirts[1:]), gone[2]], signatures, found)
    assert [0, 2] in kept.pairs.tolist()


def test_no_more_pairs_are_opened_than_stated(tmp_path, monkeypatch):
    shirts = [shirt(seed) for seed in range(4)]
    signatures, paths = described(shirts), saved(tmp_path, shirts)
    found = similar_pairs(signatures)
    monkeypatch.setattr(duplicate_verification, "MOST", 2)
    kept = confirmed(paths, signatures, found)
    assert kept.pairs.tolist() == found.pairs[:-2].tolist()
    assert kept.scores.tolist() == found.scores[:-2].tolist()


def test_no_pairs_is_an_answer():
    none = SimilarPairs(np.empty((0, 2), np.int64), np.empty(0, np.float32))
    assert confirmed([], described([shirt(0)]), none) is none


def test_look_alikes_are_no_leak_and_a_crop_is(tmp_path):
    chance = np.random.default_rng(1)
    shirts = [shirt(seed) for seed in range(3)]
    measured, training = [shirts[0], TWINS["cropped"](shirts[1], chance)], [shirts[1], shirts[2]]
    assert (compare(described([shirts[0], shirts[2]]), PAIR) > 0.975).all()
    sides = []
    for name, images in (("measured", measured), ("training", training)):
        paths = saved(tmp_path / name, images)
        sides.append(Fingerprints(tuple(paths), tuple(paths), described(images), None))
    leaks = find_leaks(*sides)
    assert leaks.kinds == {sides[0].paths[1]: "near_duplicate"}
