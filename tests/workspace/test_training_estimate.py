import pytest

from fieldguide.workspace.training_estimate import PastRun, estimate
from fieldguide.workspace.ways_to_train import PRESETS, WAYS


@pytest.mark.parametrize("recipe", list(WAYS))
@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_way_to_train_has_a_range(recipe, preset):
    found = estimate(1000, recipe, preset, cores=2)
    assert 0 < found.low < found.high
    assert not found.known


def test_what_was_measured_lies_in_the_range():
    # docs/benchmarks.md: clothing and sign_digits, balanced, two cores.
    for images, seconds in ((3409, 48.5), (2062, 26.6), (253, 5.3)):
        found = estimate(images, "linear-probe", "balanced", cores=2)
        assert found.low <= seconds <= found.high


def test_more_photos_take_longer_and_more_cores_less():
    few = estimate(100, "linear-probe", "balanced", cores=2)
    many = estimate(10_000, "linear-probe", "balanced", cores=2)
    assert many.low > few.high
    assert estimate(10_000, "linear-probe", "balanced", cores=8).high < many.high


def test_few_photos_are_fine_tuned_in_more_passes():
    few, many = (estimate(images, "finetune", "balanced", cores=2) for images in (100, 1000))
    assert few.low > 2 * (many.low / 10)  # twelve passes over a thousand, forty over a hundred
    assert few.low < many.low


def test_recipes_that_keep_to_minutes_take_no_longer():
    for recipe in ("finetune", "cnn"):
        assert estimate(50_000, recipe, "balanced", cores=1).high == 900
    assert estimate(50_000, "svm", "best", cores=1).high > 3600


def test_the_slowest_run_on_this_machine_decides():
    past = [
        PastRun("linear-probe", "balanced", 1000, 100.0),
        PastRun("linear-probe", "balanced", 1000, 5.0),  # its features were in the cache
        PastRun("linear-probe", "best", 1000, 9999.0),
        PastRun("linear-probe", "balanced", 10, 9999.0),  # too small to tell
    ]
    found = estimate(2000, "linear-probe", "balanced", cores=2, past=past)
    assert found.known
    assert found.low < 200 < found.high < 400
