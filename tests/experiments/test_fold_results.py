"""The journal of finished folds."""

import dataclasses
import shutil

import numpy as np
import pytest

from compared_made import ONE, OTHER, outcomes
from fieldguide.data.dataset import open_dataset
from fieldguide.evaluation.tag_result import TagOutcomes
from fieldguide.experiments import fold_results
from fieldguide.experiments.compare import compare
from fieldguide.experiments.fold_results import FoldResult, Journal


@pytest.mark.parametrize("change", ["seed", "option", "content", "code"])
def test_the_journal_answers_only_for_the_same_work(folder, tiny_hub, tmp_path, change, monkeypatch, fits):
    copied = shutil.copytree(folder, tmp_path / "photos")
    tried = ONE
    with open_dataset(copied) as dataset:
        compare(dataset, [ONE], folds=2, cache=tmp_path / "cache")
        if change == "seed":
            tried = dataclasses.replace(ONE, options=dataclasses.replace(ONE.options, seed=1))
        if change == "option":
            tried = OTHER
        if change == "content":  # in both folds' learned or held-out images
            shutil.copy(copied / "red" / "003.png", copied / "red" / "004.png")
        if change == "code":
            monkeypatch.setattr("fieldguide.experiments.cross_validation.code_fingerprint", lambda: "other")
        again = compare(dataset, [tried], folds=2, cache=tmp_path / "cache")
    assert again.reused == 0
    assert len(fits) == 4


def test_a_damaged_journal_is_only_slower(tmp_path):
    result = FoldResult(np.arange(2), outcomes([1, 0]), 1.5, 2, float("nan"), 3.0)
    journal = Journal(tmp_path)
    journal.put("key", result)
    kept = journal.get("key")
    assert (kept.fit_seconds, kept.pass_images, kept.megabytes) == (1.5, 2, 3.0)
    np.testing.assert_array_equal(kept.outcomes.truth, result.outcomes.truth)
    (path,) = tmp_path.glob("*.fold")
    whole = path.read_bytes()
    for content in (b"", whole[:100], whole[:-30], b"\x00" * 200):
        path.write_bytes(content)
        assert journal.get("key") is None
    assert journal.get("nothing") is None


def test_answers_of_tags_come_back_as_they_were(tmp_path):
    tags = np.array([[1, 0], [0, -1], [1, 1]], np.int8)
    found = TagOutcomes.of(
        tags,
        np.array([[0.9, 0.1], [0.2, 0.7], [0.6, 0.6]]),
        np.array([0.5, 0.001, 1.0]),
        thresholds=np.full(2, 0.5),
        set_threshold=0.15,
        unknown_threshold=0.01,
    )
    result = FoldResult(np.arange(3), found, 1.5, 2, float("nan"), 3.0)
    Journal(tmp_path).put("key", result)
    kept = Journal(tmp_path).get("key")
    assert isinstance(kept.outcomes, TagOutcomes)
    for name, column in vars(found).items():
        back = getattr(kept.outcomes, name)
        np.testing.assert_array_equal(back, column)
        assert back.dtype == column.dtype
    assert kept.accuracy == result.accuracy == 1.0


def test_a_library_that_is_not_installed_has_no_version(monkeypatch):
    """Without torch there is no timm, and folds of `svm` need none."""
    fold_results.code_fingerprint.cache_clear()
    before = fold_results.code_fingerprint()
    fold_results.code_fingerprint.cache_clear()
    monkeypatch.setattr(fold_results, "LIBRARIES", (*fold_results.LIBRARIES, "no-such-library"))
    assert fold_results.code_fingerprint() != before
    fold_results.code_fingerprint.cache_clear()
