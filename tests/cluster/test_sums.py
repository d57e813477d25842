"""sums.py: a head from sums of many processes is the head of one, whatever ends and whoever sees the file."""

import random

import numpy as np
import onnxruntime
import pytest

from fieldguide.cluster import sums
from fieldguide.cluster.ray_session import ray_session
from fieldguide.cluster.sums import PART_ROWS, ClusterSums
from fieldguide.cluster.sums_worker import FeatureFile, SumsWorker
from fieldguide.errors import OutputError
from fieldguide.heads import scatter
from fieldguide.heads.linear_head import fit_probe
from fieldguide.heads.scatter import MANY, fold_sums_here, summed_by, whole
from fieldguide.heads.training_table import BLOCK, TrainingTable
from fieldguide.large_arrays import in_named_file
from fieldguide.modelfile.graph import head_model
from inline_ray import InlineRay

IMAGES, WIDTH, CLASSES = 6000, 96, 12


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """More images than features, classes that overlap, and folds of different sizes."""
    made = np.random.default_rng(0)
    labels = made.integers(0, CLASSES, IMAGES)
    centres = made.normal(size=(CLASSES, WIDTH))
    place = tmp_path_factory.mktemp("features") / "features"
    vectors = in_named_file((IMAGES + 10, WIDTH), np.float16, place, "features")
    vectors[:IMAGES] = 5 + centres[labels] + 3 * made.normal(size=(IMAGES, WIDTH))
    return TrainingTable.of(vectors[:IMAGES], labels, made.choice(5, IMAGES, p=[0.1, 0.15, 0.2, 0.25, 0.3]))


def spread(ray, **given):
    return ClusterSums(lambda: ray, **{"fewest": 1, "part_rows": 300, **given})


@pytest.fixture(autouse=True)
def one_core(monkeypatch):
    monkeypatch.setattr(sums, "usable_cores", lambda: 1)


def same(one, other):
    np.testing.assert_array_equal(one.counts, other.counts)
    np.testing.assert_allclose(one.sums, other.sums, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(whole(one.scatters), whole(other.scatters), rtol=1e-5, atol=2e-3)


@pytest.mark.parametrize("seed", range(3))
def test_sums_are_those_of_one_machine(table, seed):
    ray = InlineRay(cpus=3, seed=seed)
    there = spread(ray)(table)
    same(there, fold_sums_here(table))
    assert sorted(ray.worked) == list(range(len(ray.worked))) and len(ray.worked) >= IMAGES // 300
    assert (len(ray.actors), ray.killed) == (3, ray.actors)


def test_they_round_alike_in_whatever_order_processes_end(table):
    first, second = (spread(InlineRay(cpus=4, seed=seed))(table) for seed in (1, 2))
    for one, other in zip(first.scatters, second.scatters, strict=True):
        np.testing.assert_array_equal(one.panels[0], other.panels[0])
    np.testing.assert_array_equal(first.sums, second.sums)


def answers(probe, vectors):
    session = onnxruntime.InferenceSession(head_model(probe.head, ranking=probe.ranking).SerializeToString())
    return session.run(["probabilities", "typicality"], {"features": vectors.astype(np.float32)})


def test_the_head_is_that_of_one_machine_bit_by_bit_where_parts_are_whole_blocks(table, monkeypatch):
    monkeypatch.setattr(scatter, "BLOCK", 100)
    assert PART_ROWS % BLOCK == 0
    here = fit_probe(table, (("final", WIDTH),), seed=0)
    with summed_by(spread(InlineRay(cpus=3))):
        there = fit_probe(table, (("final", WIDTH),), seed=0)
    for one, other in zip(answers(here, table.vectors), answers(there, table.vectors), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_head_is_that_of_one_machine(table):
    """Labels, probabilities to two millionths, typicality and temperature."""
    here = fit_probe(table, (("final", WIDTH),), seed=0)
    with summed_by(spread(InlineRay(cpus=3))):
        there = fit_probe(table, (("final", WIDTH),), seed=0)
    assert there.promises.chosen == here.promises.chosen
    one, other = (probe.promises.calibrated.temperature for probe in (here, there))
    assert one == pytest.approx(other, rel=1e-5)
    (one, typical), (other, also) = answers(here, table.vectors), answers(there, table.vectors)
    assert 0.3 < (one.argmax(1) == table.labels).mean() < 0.99  # no answer is sure
    assert (one.argmax(1) == other.argmax(1)).all()
    assert np.abs(one - other).max() < 2e-6
    assert np.abs(typical - also).max() < 2e-3  # ranks among six thousand


@pytest.mark.parametrize("seed", range(3))
def test_parts_of_a_process_that_ended_are_added_once(table, seed):
    chance = random.Random(seed)
    ray = InlineRay(ends=lambda part: chance.random() < 0.3, seed=seed)
    same(spread(ray)(table), fold_sums_here(table))
    assert len(ray.actors) > 2


def test_sums_that_end_every_process_are_named(table):
    ray = InlineRay(ends=lambda part: part.number == 2)
    with pytest.raises(OutputError, match=r"the process for the sums over photos \d+ to \d+ of fold 1 en"):
        spread(ray)(table)


def test_what_machines_do_not_see_is_added_up_here(table, monkeypatch):
    def gone(self):
        raise FileNotFoundError

    monkeypatch.setattr(FeatureFile, "opened", gone)
    same(spread(InlineRay())(table), fold_sums_here(table))


@pytest.mark.parametrize(
    "given", [{"fewest": MANY}, {"cpus": 1}, {"vectors": True}], ids=["few", "no more cores", "in memory"]
)
def test_small_work_and_what_others_cannot_read_stay_here(table, given, monkeypatch):
    monkeypatch.setattr(SumsWorker, "work", lambda *part: pytest.fail("sent"))
    if given.pop("vectors", False):
        table = TrainingTable.of(np.array(table.vectors), table.labels, table.folds)
    ray = InlineRay(cpus=given.pop("cpus", 3))
    same(spread(ray, **given)(table), fold_sums_here(table))
    assert not ray.actors


@pytest.mark.long
def test_processes_of_ray_add_up_the_same(table, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setattr(sums, "added_up", lambda *given: pytest.fail("a process did not see the file"))
    with ray_session(cores=2) as ray:
        there = ClusterSums(lambda: ray, fewest=1, part_rows=500)(table)
    same(there, fold_sums_here(table))
