"""The images of a training run: held out so that look-alikes stay together."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.errors import DataError
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.networks.images import gather, run_name, shorter_sides
from fieldguide.tasks.tags import NOT_KNOWN, Tags
from fieldguide.tasks.task import EITHER, Task
from tags_made import write_tagged

SMALL = Preprocessing(16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, paint_classes):
    return paint_classes(tmp_path_factory.mktemp("photos"), {"red": 12, "blue": 10})


def opened(folder, **columns):
    paths = sorted(folder.rglob("*.png"))
    return Dataset(folder, tuple(map(str, paths)), tuple(path.parent.name for path in paths), **columns)


def test_a_fifth_is_held_out_and_never_learned_from(folder):
    images = gather(opened(folder), SMALL, Options(), Run())
    assert not set(images.learn) & set(images.held)
    assert sorted((*images.learn, *images.held)) == list(range(22))
    assert len(images.held) == 4
    assert images.summary == "4 of 22 images held out to watch training and to calibrate"
    assert images.classes == ("blue", "red") and images.numbers.tolist() == [0] * 10 + [1] * 12
    assert images.shares().sum() == pytest.approx(1)


def test_the_seed_decides_which(folder):
    first, again, other = (
        gather(opened(folder), SMALL, Options(seed=seed), Run()).held for seed in (0, 0, 1)
    )
    assert first.tolist() == again.tolist() != other.tolist()


def test_copies_stay_on_one_side_and_are_told(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "d")
    for number in range(6):
        shutil.copy(tmp_path / "d/red/000.png", tmp_path / f"d/red/copy{number}.png")
    images = gather(opened(tmp_path / "d"), SMALL, Options(), Run())
    same = np.flatnonzero([digest == images.table.digests[10] for digest in images.table.digests])
    assert len(same) == 7 and len(set(np.isin(same, images.held))) == 1
    assert images.summary.endswith("; 6 near-duplicates or group members kept on one side")


def test_datas_own_validation_split_is_what_is_held_out_as_far_as_its_classes_are_known(
    folder, tmp_path, paint_classes
):
    other = opened(paint_classes(tmp_path, {"red": 3, "green": 2}, first=90))
    images = gather(opened(folder), SMALL, Options(), Run(validation=other))
    assert images.learn.tolist() == list(range(22)) and len(images.held) == 3
    assert {Path(images.paths[row]).parent.name for row in images.held} == {"red"}


def test_what_nothing_can_be_held_out_of_is_said(folder):
    whole = opened(folder)
    with pytest.raises(DataError, match="need images of two classes that can be read, got 3 images of 1"):
        gather(whole.take([0, 1, 2]), SMALL, Options(), Run())
    with pytest.raises(DataError, match="too few separate photos to hold some out"):
        gather(whole.take([0, 12]), SMALL, Options(), Run())


def test_the_name_of_a_run_is_of_all_that_its_weights_depend_on(folder):
    images = gather(opened(folder), SMALL, Options(), Run())
    other = gather(opened(folder), SMALL, Options(seed=1), Run())
    names = [run_name(images, 1), run_name(images, 2), run_name(other, 1)]
    assert len(set(names)) == 3 and names[0] == run_name(images, 1)


def test_sizes_are_those_of_the_images_that_can_be_read(folder, tmp_path):
    (tmp_path / "none.png").write_bytes(b"")
    sides = shorter_sides([*opened(folder).paths, str(tmp_path / "none.png")])
    assert len(sides) == 22 and sides == sorted(sides) and sides[0] >= 60


def tagged(folder, count, **changes):
    with open_dataset(write_tagged(folder, count), tasks=EITHER) as dataset:
        return dataclasses.replace(dataset, **changes)


def test_of_tags_a_part_with_the_shares_of_all_is_held_out(tmp_path):
    dataset = tagged(tmp_path, 40)
    images = gather(dataset, SMALL, Options(), Run())
    assert images.task is Task.MULTIPLE and images.classes == ("blue", "green", "red")
    assert images.numbers.shape == (40, 3)
    assert sorted((*images.learn, *images.held)) == list(range(40))
    assert images.shares() == pytest.approx([0.5] * 3, abs=0.1)
    changed = dataclasses.replace(dataset, tags=(Tags(("red",)), *dataset.tags[1:]))
    assert gather(changed, SMALL, Options(), Run()).fingerprint != images.fingerprint


def test_a_tag_of_one_photo_is_learned_from_not_held_out(tmp_path):
    dataset = tagged(tmp_path, 40)
    for seed in range(4):
        for place in (0, 21):
            tags = list(dataset.tags)
            tags[place] = Tags((*tags[place].present, "rare"))
            images = gather(dataclasses.replace(dataset, tags=tuple(tags)), SMALL, Options(seed=seed), Run())
            assert place in images.learn


def test_what_is_not_known_of_tags_is_in_no_share(tmp_path):
    dataset = tagged(tmp_path, 16)
    unknown = tuple(Tags(tuple(set(one.present) - {"red"}), ("red",)) for one in dataset.tags[:8])
    images = gather(dataclasses.replace(dataset, tags=(*unknown, *dataset.tags[8:])), SMALL, Options(), Run())
    assert (images.numbers[:8, 2] == NOT_KNOWN).all()
    own = images.numbers[images.learn, 2]
    assert images.shares()[2] == pytest.approx((own == 1).sum() / (own != NOT_KNOWN).sum())


def test_a_validation_split_of_tags_is_what_is_held_out(tmp_path):
    dataset = tagged(tmp_path / "a", 16)
    other = tagged(tmp_path / "b", 4, tags=(Tags(("red", "new")), Tags(), Tags(("blue",)), Tags()))
    images = gather(dataset, SMALL, Options(), Run(validation=other))
    assert images.learn.tolist() == list(range(16)) and len(images.held) == 4
    assert images.classes == ("blue", "green", "red")
    assert images.numbers[images.held].tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0], [0, 0, 0]]


def test_one_tag_is_not_enough(tmp_path):
    dataset = tagged(tmp_path, 16, tags=(Tags(("red",)),) * 16)
    with pytest.raises(DataError, match="need two tags on images that can be read, got 16 images of 1"):
        gather(dataset, SMALL, Options(), Run())
