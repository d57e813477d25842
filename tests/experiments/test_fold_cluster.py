"""fold_cluster.py: comparisons whose folds a cluster learns are those of one process, whatever is killed."""

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import fieldguide
from fieldguide.cluster.features import features_on_cluster
from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError, OptionError, OutputError
from fieldguide.experiments import fold_cluster, fold_worker
from fieldguide.experiments.compare import compare
from fieldguide.experiments.fold_cluster import ClusterShare, place_of
from fieldguide.experiments.fold_fitting import fit_fold
from fieldguide.experiments.fold_results import Journal
from fieldguide.experiments.fold_worker import FoldWorker, SharedBody
from fieldguide.experiments.study import Budget
from fieldguide.experiments.tune import TuneOptions, tune
from fieldguide.recipes.common import Options
from folds_made import SVM, TREES, WRONG, compared, without_times
from inline_ray import InlineRay


@pytest.fixture(scope="module")
def folder(tmp_path_factory, paint_classes):
    folder = paint_classes(tmp_path_factory.mktemp("photos"), {"red": 9, "green": 8, "grey": 7})
    (folder / "red" / "broken.png").write_bytes(b"no image")
    return folder


@pytest.fixture
def photos(folder):
    with open_dataset(folder) as dataset:
        yield dataset


@pytest.fixture(scope="module")
def plain(folder):
    with open_dataset(folder) as dataset:
        return without_times(compare(dataset, [SVM, TREES, WRONG], folds=3))


@pytest.mark.parametrize("seed", range(4))
def test_the_rows_are_those_of_one_process_in_whatever_order_folds_end(photos, plain, seed, monkeypatch):
    ray = InlineRay(cpus=3, seed=seed)
    found = compared(ray, monkeypatch, photos, [SVM, TREES, WRONG], folds=3)
    assert without_times(found) == plain
    assert plain["candidates"][2]["error"].startswith("cost: must be a number")
    assert all(row.image_seconds > 0 for row in found.rows[:2])
    assert ray.killed == ray.actors


@pytest.mark.parametrize("seed", range(4))
def test_folds_of_a_process_that_ended_are_learned_by_another(photos, plain, seed, monkeypatch):
    chance = random.Random(seed)
    ray = InlineRay(ends=lambda part: chance.random() < 0.3, seed=seed)
    found = compared(ray, monkeypatch, photos, [SVM, TREES, WRONG], folds=3)
    assert without_times(found) == plain


def test_a_candidate_that_ends_every_process_is_a_row_with_its_error(photos, monkeypatch):
    ray = InlineRay(ends=lambda part: getattr(part, "title", "") == "fold 2 of trees")
    found = compared(ray, monkeypatch, photos, [SVM, TREES], folds=3)
    assert found.rows[0].candidate == SVM
    assert found.rows[1].error.startswith("the process for fold 2 of trees ended 6 times (the actor died)")


def test_features_are_shared_once_and_parts_are_small(photos, monkeypatch):
    sent = []
    ray = InlineRay(ends=lambda part: sent.append(part) or False)
    compared(ray, monkeypatch, photos, [SVM, TREES], folds=3)
    bodies = [value for value in ray.shared if isinstance(value, SharedBody)]
    assert len(bodies) == 1  # both learn from the same features
    assert type(bodies[0].features.vectors) is np.ndarray
    folds = [part for part in sent if isinstance(part, fold_worker.FoldPart)]
    assert len(folds) == 6
    assert {id(part.body[0].value) for part in folds} == {id(bodies[0])}


def test_a_comparison_that_was_stopped_goes_on_with_and_without_ray(photos, plain, tmp_path, monkeypatch):
    def stop(stage, done, total):
        if (stage, done) == ("folds", 4):
            raise KeyboardInterrupt

    tried = [SVM, TREES, WRONG]
    ray = InlineRay(cpus=1)
    with pytest.raises(KeyboardInterrupt):
        compared(ray, monkeypatch, photos, tried, folds=3, cache=tmp_path, progress=stop)
    assert ray.killed == ray.actors
    fitted = []
    for module in ("cross_validation", "fold_worker"):
        monkeypatch.setattr(
            f"fieldguide.experiments.{module}.fit_fold",
            lambda folding, task, run: fitted.append(task.title) or fit_fold(folding, task, run),
        )
    went_on = compare(photos, tried, folds=3, cache=tmp_path)
    assert went_on.reused == 4
    assert len([title for title in fitted if "wrong" not in title]) == 2
    assert without_times(went_on) == plain
    assert all(row.image_seconds > 0 for row in went_on.rows[:2])  # learned there, timed here
    fitted.clear()
    again = compared(InlineRay(), monkeypatch, photos, tried, folds=3, cache=tmp_path)
    assert without_times(again) == plain
    assert not [title for title in fitted if "wrong" not in title]


def test_an_answer_is_timed_on_this_machine_and_the_network_then_forgotten(photos, tmp_path, monkeypatch):
    kept = []
    put = Journal.put
    monkeypatch.setattr(
        Journal, "put", lambda self, key, result: kept.append(result) or put(self, key, result)
    )
    found = compared(InlineRay(), monkeypatch, photos, [SVM], folds=3, cache=tmp_path)
    assert [one.untimed is not None for one in kept].count(True) == 1
    assert [math.isnan(one.image_seconds) for one in kept].count(False) == 1
    assert kept[-1].image_seconds == found.rows[0].image_seconds
    journal = Journal(tmp_path / "folds")
    for path in (tmp_path / "folds").iterdir():
        assert journal.get(path.stem).untimed is None


def test_a_fold_without_the_time_that_is_wanted_is_learned_again(photos, tmp_path):
    from fieldguide.experiments.cross_validation import cross_validation

    with cross_validation(photos, [SVM], folds=3, cache=tmp_path) as work:
        for fold in range(3):
            work.run(SVM, fold)
    found = compare(photos, [SVM], folds=3, cache=tmp_path)
    assert found.reused == 2
    assert found.rows[0].image_seconds > 0


def test_the_learning_curve_is_that_of_one_process(photos, monkeypatch):
    from fieldguide.experiments.learning_curve import learning_curve

    here = learning_curve(photos, TREES, folds=2)
    monkeypatch.setitem(sys.modules, "ray", InlineRay())
    told = []
    with features_on_cluster("local"):
        there = learning_curve(photos, TREES, folds=2, progress=lambda *now: told.append(now))
    assert there.as_dict() == here.as_dict()
    assert [done for stage, done, _ in told if stage == "learning curve"] == list(
        range(1, 1 + 2 * len(here.points))
    )


def test_a_machine_with_other_versions_stops_the_run(photos, monkeypatch):
    monkeypatch.setattr(fold_worker, "code_fingerprint", iter("abcdefgh").__next__)
    with pytest.raises(OutputError, match="has another version of fieldguide or of a package"):
        compared(InlineRay(), monkeypatch, photos, [SVM], folds=3)


def test_a_photo_that_only_this_machine_sees_stops_the_run(photos, monkeypatch):
    from fieldguide.errors import Refusal

    def lacking(self, part):
        refused = Refusal(photos.paths[0], "missing", "there is no such file; check the path")
        return fold_worker.FoldDone(part.number, error=("DataError", "x"), refused=(refused,))

    monkeypatch.setattr(FoldWorker, "work", lacking)
    with pytest.raises(DataError, match="is on this machine, but a machine of the cluster says"):
        compared(InlineRay(), monkeypatch, photos, [SVM], folds=3)


@pytest.mark.parametrize(
    ("machines", "cores", "share"),
    [
        ([{"CPU": 4.0}], 2, ClusterShare(2, 0)),
        ([{"CPU": 4.0}, {"CPU": 8.0}, {}], 16, ClusterShare(8, 0)),
        ([{"CPU": 4.0, "GPU": 2.0}], 2, ClusterShare(2, 1)),
        ([{}], 2, ClusterShare(1, 0)),
    ],
)
def test_a_network_has_the_cores_of_this_machine_and_a_gpu_where_there_are_any(
    machines, cores, share, monkeypatch
):
    from fieldguide.cluster.ray_session import Cluster

    monkeypatch.setattr(fold_cluster, "usable_cores", lambda: cores)
    ray = InlineRay(nodes=machines)
    spread = fold_cluster.FoldCluster(Cluster("auto", lambda: ray), None, None, None)
    assert spread._network_share == share


def test_folds_of_networks_are_tasks_and_what_tries_others_stays_here(photos, monkeypatch):
    """A recipe of this test in place of `cnn`, for torch is not everywhere."""
    from fieldguide import recipes
    from fieldguide.experiments.fold_task import Candidate
    from fieldguide.recipes import extra_trees

    monkeypatch.setattr(recipes, "NEED_TORCH", frozenset({"extra-trees"}))
    monkeypatch.setattr(recipes, "has_torch", lambda: True)
    monkeypatch.setattr(fold_cluster, "usable_cores", lambda: 2)
    ray = InlineRay(cpus=4, nodes=[{"CPU": 4.0, "GPU": 1.0}])
    here = Candidate("here", "here", Options(settings={"trees": 10}))
    found = recipes.find

    class Alone:
        fit, TASKS = staticmethod(extra_trees.fit), extra_trees.TASKS

    monkeypatch.setattr(recipes, "find", lambda name: Alone if name == "here" else found(name))
    result = compared(ray, monkeypatch, photos, [SVM, TREES, here], folds=3)
    folds = [given for given in ray.asked if given != {"num_cpus": 1}]
    assert folds == [{"num_cpus": 2, "num_gpus": 1}]
    trees, alone = (row for row in result.rows if row.candidate.name in ("trees", "here"))
    assert trees.evaluation.accuracy == alone.evaluation.accuracy
    assert (place_of("auto"), place_of("svm")) == ("here", "head")


def trials_of(result):
    """What a search found but what depends on the clock and on how often it was stopped."""
    rows = [trial for trial in result["trials"] if trial["error"] is None]
    timeless = ("number", "seconds")
    found = [{name: value for name, value in row.items() if name not in timeless} for row in rows]
    return found, result["best"], result["expected"]


def tuned(photos, out, **given):
    wanted = TuneOptions(photos, out, "svm", Options(preset="fast"), Budget(trials=12), folds=3, **given)
    result = tune(photos, wanted)
    return trials_of(result.as_dict()), result.at_once, out.read_bytes()


@pytest.fixture(scope="module")
def searched(folder, tmp_path_factory):
    """Five at once, by one process."""
    with open_dataset(folder) as dataset:
        return tuned(dataset, tmp_path_factory.mktemp("plain") / "m.onnx", at_once=5)


@pytest.mark.parametrize("seed", range(3))
def test_a_search_is_that_of_one_process_with_as_many_at_once(photos, searched, seed, tmp_path, monkeypatch):
    chance = random.Random(seed)
    monkeypatch.setitem(
        sys.modules, "ray", InlineRay(cpus=4, ends=lambda part: chance.random() < 0.1, seed=seed)
    )
    told = []
    with features_on_cluster("local"):
        found = tuned(
            photos, tmp_path / "m.onnx", cache=tmp_path / "cache", progress=lambda *now: told.append(now)
        )
    assert found == searched
    assert {row["state"] for row in found[0][0]} == {"complete", "pruned"}
    counted = [done for stage, done, _ in told if stage == "trials"]
    assert counted == sorted(counted)
    assert set(counted) == set(range(13))


def test_a_search_that_was_stopped_goes_on_without_a_cluster(photos, searched, tmp_path, monkeypatch):
    def stop(stage, done, total):
        if (stage, done) == ("trials", 7):
            raise KeyboardInterrupt

    ray, cache = InlineRay(cpus=4), tmp_path / "cache"
    monkeypatch.setitem(sys.modules, "ray", ray)
    with features_on_cluster("local"):
        (stopped, _, _), _, _ = tuned(photos, tmp_path / "m.onnx", cache=cache, progress=stop)
    assert len(stopped) == 7
    assert ray.killed == ray.actors
    (trials, _, _), at_once, _ = tuned(photos, tmp_path / "m.onnx", cache=cache, resume=True)
    assert at_once == 5
    whole = searched[0][0]
    tried = {tuple(row["values"].items()) for row in trials}
    assert {tuple(row["values"].items()) for row in whole[:10]} <= tried
    assert len(trials) == 12
    with pytest.raises(OptionError, match="--at-once: must be 5"):
        tuned(photos, tmp_path / "m.onnx", cache=cache, resume=True, at_once=2)


def test_a_number_at_once_that_is_none_is_refused(photos, tmp_path):
    for wrong in (0, 2.5, True):
        with pytest.raises(OptionError, match="at_once: must be a whole number, 1 or more"):
            tuned(photos, tmp_path / "m.onnx", at_once=wrong)


COMPARE = """
import sys
from fieldguide.cli import main
if __name__ == "__main__":
    sys.exit(main(["compare", sys.argv[1], "--recipes", "svm,extra-trees", "--folds", "3", "--cluster",
                   "--json", sys.argv[2]]))
"""


def fold_workers(driver):
    """The processes of Ray that learn folds for one driver."""
    listed = subprocess.run(
        ["ps", "-ewwo", "pid,ppid,args"], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    raylets = [pid for pid, parent, args in rows if "raylet/raylet" in args and int(parent) == driver]
    return [int(pid) for pid, parent, args in rows if "ray::FoldWorker" in args and parent in raylets]


@pytest.mark.long
@pytest.mark.parametrize("killed", ["worker", "driver"])
def test_processes_of_ray_that_are_killed_change_nothing(killed, folder, tmp_path, monkeypatch):
    pytest.importorskip("ray")
    plain = fieldguide.compare(folder, recipes=["svm", "extra-trees"], folds=3)
    environment = {**os.environ, "FIELDGUIDE_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", COMPARE, str(folder), str(tmp_path / "found.json")]

    def started():
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    driver, deadline = started(), time.monotonic() + 300
    kept = tmp_path / "cache" / "folds"
    while driver.poll() is None and time.monotonic() < deadline:
        if kept.is_dir() and len(list(kept.iterdir())) >= 2 and (workers := fold_workers(driver.pid)):
            os.kill(workers[0] if killed == "worker" else driver.pid, signal.SIGKILL)
            break
        time.sleep(0.02)
    else:
        pytest.fail("nothing was killed")
    ended = driver.wait(300)
    if killed == "driver":
        assert ended == -signal.SIGKILL
        done = {path: path.stat().st_ino for path in kept.glob("*.fold")}
        assert len(done) >= 2
        assert started().wait(300) == 1  # a photo is refused
    else:
        assert ended == 1
    found = json.loads(Path(tmp_path / "found.json").read_text())
    assert found["folds_from_earlier_runs"] == (len(done) if killed == "driver" else 0)
    expected = without_times(plain)
    for row in found["candidates"]:
        row.pop("seconds")
    assert {name: found[name] for name in expected} == json.loads(json.dumps(expected))


TUNE = """
import sys
from fieldguide.cli import main
if __name__ == "__main__":
    sys.exit(main(["tune", *sys.argv[1:], "--recipe", "svm", "--trials", "12", "--folds", "3", "--resume"]))
"""


@pytest.mark.long
def test_a_search_on_ray_survives_the_end_of_a_worker_and_of_the_driver(folder, tmp_path):
    pytest.importorskip("ray")

    def command(name, *more):
        given = [
            str(folder),
            "--out",
            str(tmp_path / f"{name}.onnx"),
            "--json",
            str(tmp_path / f"{name}.json"),
        ]
        environment = {**os.environ, "FIELDGUIDE_CACHE": str(tmp_path / name)}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen([sys.executable, "-c", TUNE, *given, *more], env=environment, **quiet)

    assert command("plain", "--at-once", "5").wait(300) == 1  # a photo is refused
    driver, deadline, killed = command("spread", "--cluster"), time.monotonic() + 300, []
    kept = tmp_path / "spread" / "folds"
    while driver.poll() is None and time.monotonic() < deadline:
        done = len(list(kept.iterdir())) if kept.is_dir() else 0
        if not killed and done >= 5 and (workers := fold_workers(driver.pid)):
            os.kill(workers[0], signal.SIGKILL)
            killed = workers[:1]
        if killed and done >= 12:
            driver.kill()
            break
        time.sleep(0.02)
    assert killed
    assert driver.wait(300) == -signal.SIGKILL
    assert command("spread", "--cluster").wait(300) == 1
    plain, spread = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("plain", "spread"))
    assert 0 < spread["found"] < 12
    assert trials_of(spread) == trials_of(plain)
    assert (tmp_path / "spread.onnx").read_bytes() == (tmp_path / "plain.onnx").read_bytes()
