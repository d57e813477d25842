"""fold_worker.py: what a process does with a fold, and how it is told the features."""

import numpy as np
import pytest

from fieldguide.backbones import feature_memory, feature_table
from fieldguide.backbones.classical.export import export_classical
from fieldguide.backbones.feature_memory import FeatureMemory
from fieldguide.cluster.features import ClusterPass
from fieldguide.data.dataset import open_dataset
from fieldguide.data.folds import Contents, deal_folds
from fieldguide.errors import DataError, FieldguideError, OptionError
from fieldguide.experiments.fold_fitting import fit_fold
from fieldguide.experiments.fold_task import FoldTask
from fieldguide.experiments.fold_worker import FoldJob, FoldPart, FoldWorker, SharedBody, as_error
from fieldguide.recipes.common import Run
from fieldguide.threads import usable_cores
from folds_made import SVM, TREES, WRONG
from inline_ray import InlineRay


@pytest.fixture
def photos(paint_classes, tmp_path, monkeypatch):
    folder = paint_classes(tmp_path / "photos", {"red": 8, "green": 8, "grey": 6})
    (folder / "green" / "broken.png").write_bytes(b"no image")
    monkeypatch.chdir(tmp_path)
    with open_dataset("photos") as dataset:
        yield dataset


@pytest.fixture
def memory(photos):
    return FeatureMemory(photos.paths)


@pytest.fixture
def folding(photos, memory):
    found = memory.whole(export_classical())
    return deal_folds(photos, Contents(found.rows, found.digests, found.signatures, found.refused), 3, 0)


@pytest.fixture
def worker(folding, memory, tmp_path, monkeypatch):
    job = FoldJob.of(folding, memory.paths)
    monkeypatch.chdir("/")  # as another process has another current folder
    return FoldWorker(job, 1, fetch=lambda reference: reference())


def part_for(task, memory, body, *, by_file=False):
    shared = SharedBody.of(body, memory.whole(body), by_file=by_file)
    return FoldPart(0, task, (lambda: shared, body.digest)), shared


def test_a_fold_from_given_features_is_that_of_this_process_without_a_look_at_the_photos(
    photos, folding, memory, tmp_path, monkeypatch
):
    here = fit_fold(folding, FoldTask(SVM, 1), Run(memory=memory)).result
    worker = FoldWorker(FoldJob.of(folding, memory.paths), 1, fetch=lambda reference: reference())
    for path in (tmp_path / "photos").rglob("*.png"):
        path.unlink()
    done = worker.work(part_for(FoldTask(SVM, 1), memory, export_classical())[0])
    assert done.error == ("", "")
    np.testing.assert_array_equal(done.result.rows, here.rows)
    np.testing.assert_array_equal(done.result.outcomes.truth_probability, here.outcomes.truth_probability)
    assert done.refused == ()


def test_it_has_its_share_of_the_cores(worker, memory, monkeypatch):
    seen = []

    def fit(folding, task, run):
        seen.append(usable_cores())
        raise OptionError("x")

    monkeypatch.setattr("fieldguide.experiments.fold_worker.fit_fold", fit)
    done = worker.work(part_for(FoldTask(SVM, 0), memory, export_classical())[0])
    assert seen == [1]
    assert done.error == ("OptionError", "x")


def test_features_that_were_let_go_are_fetched_again(worker, memory, monkeypatch):
    fetched = []
    body = export_classical()
    part, shared = part_for(FoldTask(TREES, 0), memory, body)

    def reference():
        fetched.append(1)
        return shared

    part = FoldPart(0, part.task, (reference, body.digest))
    assert worker.work(part).result is not None
    assert worker.work(part).result is not None
    assert len(fetched) == 1
    monkeypatch.setattr(feature_memory, "MOST_BYTES", 1)
    other = SharedBody.of(body, memory.whole(body), by_file=False).backbone
    worker._memory.give(type(other)(**{**vars(other), "digest": "another"}), shared.features)
    assert worker.work(part).result is not None
    assert len(fetched) == 2


def test_features_in_a_file_are_read_there_and_not_sent(photos, memory, tmp_path, monkeypatch):
    monkeypatch.setattr(feature_table, "IN_MEMORY_BYTES", 100)
    body, ray = export_classical(), InlineRay()
    spread = ClusterPass(lambda: ray, lambda cache: tmp_path / "features")(photos.paths, body)
    shared = SharedBody.of(body, spread, by_file=True)
    assert shared.features.vectors.size == 0
    np.testing.assert_array_equal(shared.whole().vectors, spread.vectors)
    sent = SharedBody.of(body, spread, by_file=False)
    assert sent.file is None
    assert type(sent.features.vectors) is np.ndarray
    np.testing.assert_array_equal(sent.whole().vectors, spread.vectors)


def test_a_file_of_features_that_went_stops_the_run(worker, memory, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(feature_table, "IN_MEMORY_BYTES", 100)
    body, ray = export_classical(), InlineRay()
    spread = ClusterPass(lambda: ray, lambda cache: tmp_path / "features")(
        [str(tmp_path / path) for path in photos.paths], body
    )
    shared = SharedBody.of(body, spread, by_file=True)
    (tmp_path / "features").unlink()
    done = worker.work(FoldPart(0, FoldTask(SVM, 0), (lambda: shared, body.digest)))
    assert done.failed.startswith("--cluster: the machine ")


def test_a_network_that_is_to_be_timed_comes_along(worker, memory):
    untimed = worker.work(part_for(FoldTask(SVM, 0), memory, export_classical())[0]).result
    assert untimed.untimed is None
    timed = worker.work(part_for(FoldTask(SVM, 0, timed=True), memory, export_classical())[0]).result
    assert len(timed.untimed.content) > 1000
    assert timed.untimed.preprocessing == export_classical().preprocessing


def test_why_a_candidate_failed_is_told_as_it_was_raised(worker, memory, monkeypatch):
    done = worker.work(part_for(FoldTask(WRONG, 0), memory, export_classical())[0])
    error = as_error(done.error)
    assert type(error) is OptionError
    assert str(error).startswith("cost: must be a number")
    monkeypatch.setattr("fieldguide.experiments.fold_worker.fit_fold", lambda *given: 1 / 0)
    done = worker.work(part_for(FoldTask(SVM, 0), memory, export_classical())[0])
    assert str(as_error(done.error)) == "an error in the recipe itself (ZeroDivisionError: division by zero)"
    assert type(as_error(done.error)) is FieldguideError
    assert type(as_error(("DataError", "x"))) is DataError
    assert type(as_error(("Refusal", "x"))) is FieldguideError
