"""Painted photos, what a fit is given, and a choice that is settled beforehand."""

import pytest

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.recipes.common import Options, Run
from fieldguide.tasks.task import EITHER
from tags_made import write_tagged

COUNTS = {"red": 24, "green": 20, "blue": 16}
SMALL = {"size": 64, "epochs": 2, "batch_size": 16, "augment": "light", "augment_with": "flip=0"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, paint_classes):
    folder = paint_classes(tmp_path_factory.mktemp("photos"), COUNTS)
    paths = sorted(folder.rglob("*.png"))
    return Dataset(folder, tuple(map(str, paths)), tuple(path.parent.name for path in paths))


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    with open_dataset(write_tagged(tmp_path_factory.mktemp("tagged"), 64), tasks=EITHER) as dataset:
        return dataset


@pytest.fixture
def given(tiny_hub, cache_of_the_tests):
    """What a fit is given: `given(epochs=…, folder=…)`."""

    def make(backbone="test_efficientnet", folder=None, **settings):
        options = Options(backbone, settings=SMALL | settings)
        return options, Run(cache=cache_of_the_tests, folder=folder)

    return make


@pytest.fixture
def winning(monkeypatch):
    """Fine-tuning always wins, so that what it gives can be looked at."""
    from fieldguide.recipes.finetune import job
    from fieldguide.recipes.finetune.interpolation import ChosenInterpolation, Interpolation

    won = ChosenInterpolation(Interpolation(1.0), (1.0, 1.0), "won", 0.5)
    monkeypatch.setattr(job, "choose", lambda *given, **others: won)
