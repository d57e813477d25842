"""What recipes learn tags from."""

import numpy as np
import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.errors import DataError
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.tagged_features import learn_tags_from, tag_texts, tags_summary
from fieldguide.tasks.tags import Tags
from tags_made import tagged_photo, tags_of


@pytest.fixture
def given(tiny_hub, cache_of_the_tests):
    return Options("test_efficientnet"), Run(cache=cache_of_the_tests)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    return [str(tagged_photo(folder / f"{number:03}.png", tags_of(number), number)) for number in range(24)]


def dataset(paths, tags):
    return Dataset(paths[0].rpartition("/")[0], tuple(paths), ("",) * len(paths), tags=tuple(tags))


def learned(data, given):
    return learn_tags_from(data, linear_probe.body(*given), *given)


def test_the_matrix_and_folds(paths, given):
    found = learned(dataset(paths, [Tags.of(tags_of(number)) for number in range(24)]), given)
    assert found.classes == ("blue", "green", "red")
    assert found.tags.shape == (24, 3)
    assert found.tags.sum() == 36
    assert found.folds.max() == 4
    assert tags_summary(found.tags, found.classes) == "tags: 1.5 a photo; each on 12 photos"
    some = tags_summary(found.tags[:5], found.classes)
    assert "most often" in some and "least often" in some
    assert found.table().table.n_classes >= 1


def test_the_fingerprint_depends_on_tags_and_on_what_is_not_known(paths, given):
    plain = [Tags.of(tags_of(number)) for number in range(24)]
    doubted = [Tags.of(["red"], ["blue"]), *plain[1:]]
    prints = {learned(dataset(paths, tags), given).fingerprint for tags in (plain, doubted)}
    assert len(prints) == 2
    assert tag_texts(dataset(paths[:1], doubted[:1])) == ['[["red"], ["blue"]]']


def test_one_tag_is_too_few(paths, given):
    with pytest.raises(DataError, match="need two tags on images that can be read"):
        learned(dataset(paths, [Tags(("red",))] * 24), given)


def test_copies_of_one_photo_are_too_few(paths, given):
    same = [paths[0]] * 4
    with pytest.raises(DataError, match="need two separate photos"):
        learned(dataset(same, [Tags(("red",)), Tags(("blue",)), Tags(), Tags()]), given)


def test_near_duplicates_share_a_fold(paths, given):
    data = dataset([*paths, paths[0]], [Tags.of(tags_of(number % 24)) for number in range(25)])
    found = learned(data, given)
    assert found.folds[0] == found.folds[24]
    assert np.unique(found.folds).size == 5
