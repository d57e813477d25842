"""features.py: the rows, refusals, cache and model files of a run without a cluster, whatever is killed."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import fieldguide
from fieldguide.backbones import feature_table
from fieldguide.backbones.classical.export import export_classical
from fieldguide.backbones.extraction import extract, extract_here, times_as_many_cores
from fieldguide.backbones.side_by_side import export_joined
from fieldguide.cli import main
from fieldguide.cluster import features
from fieldguide.cluster.feature_worker import FeatureWorker, ImagePartDone
from fieldguide.cluster.features import ClusterPass, features_on_cluster, in_number_order, part_size
from fieldguide.cluster.sums_worker import FeatureFile
from fieldguide.errors import DataError, OutputError
from fieldguide.heads import scatter
from inline_ray import InlineRay
from shards import shards


@pytest.fixture(scope="module")
def photos(paint_classes, tmp_path_factory):
    folder = paint_classes(tmp_path_factory.mktemp("photos"), {"red": 30, "green": 30, "grey": 9})
    (folder / "red" / "003.png").write_bytes(b"")
    (folder / "green" / "005.png").write_bytes((folder / "green" / "004.png").read_bytes()[:-40])
    return folder


@pytest.fixture
def paths(photos):
    found = [str(path) for path in sorted(photos.rglob("*.png"))]
    return [*found[:7], str(photos / "never-was.png"), *found[7:]]


# ONNX Runtime 1.20 gives other last bits for a batch of one image than for one of two; 1.32 does not.
LAST_BITS = 0 if tuple(map(int, onnxruntime.__version__.split(".")[:2])) >= (1, 32) else 1e-6


def same(one, other):
    for name in ("signatures", "rows"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_allclose(one.vectors, other.vectors, rtol=LAST_BITS, atol=LAST_BITS)
    assert (one.digests, one.refused) == (other.digests, other.refused)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("flips", [False, True])
def test_features_are_those_of_one_machine(paths, seed, flips):
    ray, backbone = InlineRay(cpus=3, seed=seed), export_classical()
    there = ClusterPass(lambda: ray)(paths, backbone, flips=flips)
    here = extract_here(paths, backbone, flips=flips)
    same(here, there)
    assert len(there.refused) == 3
    assert sorted(ray.worked) == list(range(12))
    assert (len(ray.actors), ray.killed) == (3, ray.actors)
    assert ray.asked == [{"num_cpus": 1}]
    assert there.seconds["total"] > 0 and there.seconds["network"] > 0


@pytest.mark.parametrize("seed", range(5))
def test_parts_of_a_process_that_ended_are_done_again(paths, seed):
    chance = random.Random(seed)
    ray = InlineRay(ends=lambda part: chance.random() < 0.3, seed=seed)
    same(extract_here(paths, export_classical()), ClusterPass(lambda: ray)(paths, export_classical()))
    assert len(ray.actors) > 2


def test_photos_that_end_every_process_are_named(paths):
    ray = InlineRay(ends=lambda part: part.number == 2)
    with pytest.raises(
        OutputError, match=r"the process for the photos from .*\.png to .*\.png ended 6 times"
    ):
        ClusterPass(lambda: ray)(paths, export_classical())


def test_a_run_that_was_stopped_goes_on(paths, tmp_path):
    def stop(stage, done, total):
        if done > 30:
            raise KeyboardInterrupt

    ray, backbone = InlineRay(), export_classical()
    with pytest.raises(KeyboardInterrupt):
        ClusterPass(lambda: ray)(paths, backbone, cache=tmp_path, progress=stop)
    assert ray.killed == ray.actors
    went_on = ClusterPass(InlineRay)(paths, backbone, cache=tmp_path)
    assert 25 < went_on.cached < len(went_on.rows)
    same(extract_here(paths, backbone), went_on)
    assert ClusterPass(InlineRay)(paths, backbone, cache=tmp_path).cached == len(went_on.rows)
    assert extract_here(paths, backbone, cache=tmp_path).cached == len(went_on.rows)


def test_what_is_kept_without_a_cluster_serves_one(paths, tmp_path):
    here = extract_here(paths, export_classical(), cache=tmp_path)
    there = ClusterPass(InlineRay)(paths, export_classical(), cache=tmp_path)
    same(here, there)
    assert there.cached == len(here.rows)
    assert there.seconds["network"] == 0


def test_what_is_kept_and_damaged_is_computed_again(paths, tmp_path, monkeypatch):
    here = extract_here(paths, export_classical(), cache=tmp_path)
    (shard,) = shards(tmp_path)
    content = bytearray(shard.read_bytes())
    for row in (4, 5):
        content[content.find(here.vectors[row].tobytes()) + 5] ^= 64
    shard.write_bytes(content)
    made = []
    monkeypatch.setattr(
        features, "FeatureWorker", lambda *given: made.append(FeatureWorker(*given)) or made[-1]
    )
    there = ClusterPass(lambda: InlineRay(cpus=1))(paths, export_classical(), cache=tmp_path)
    same(here, there)
    assert there.cached == len(here.rows) - 2
    assert len(made) == 2, "a network is loaded once a process, and once here"


def test_nothing_starts_no_cluster():
    assert len(ClusterPass(lambda: pytest.fail("started"))([], export_classical()).rows) == 0


def test_progress_counts_photos(paths):
    told = []
    ClusterPass(InlineRay)(paths, export_classical(), progress=lambda *now: told.append(now))
    assert told[0] == ("features", 0, len(paths))
    assert told[-1] == ("features", len(paths), len(paths))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_a_photo_that_only_this_machine_sees_stops_the_run(paths, monkeypatch):
    from fieldguide.cluster import feature_worker
    from fieldguide.errors import RefusedInput

    def elsewhere(path):
        raise RefusedInput("missing", "there is no such file; check the path")

    monkeypatch.setattr(feature_worker, "read_bytes", elsewhere)
    with pytest.raises(DataError, match=r"^--cluster: .*000\.png is on this machine, but a machine of the"):
        ClusterPass(InlineRay)(paths[:3], export_classical())
    only = [path for path in paths if "never-was" in path]
    assert [refusal.code for refusal in ClusterPass(InlineRay)(only, export_classical()).refused] == [
        "missing"
    ]


def test_a_photo_for_which_only_another_machine_lacks_a_package_stops_the_run(paths, monkeypatch):
    from fieldguide.cluster import feature_worker
    from fieldguide.errors import RefusedInput

    def lacking(*given):
        raise RefusedInput("plugin_missing", "HEIF images need a package: pip install it")

    monkeypatch.setattr(feature_worker, "network_pixels", lacking)
    with pytest.raises(DataError, match=r"^--cluster: .*000\.png can be read here.*: HEIF .* same packages"):
        ClusterPass(InlineRay)(paths[:3], export_classical())
    monkeypatch.setattr(features, "network_pixels", lacking)
    refused = ClusterPass(InlineRay)(paths[:3], export_classical()).refused
    assert {refusal.code for refusal in refused} == {"plugin_missing"}


def test_paths_are_sent_whole_and_refused_as_given(paths, photos, monkeypatch):
    monkeypatch.chdir(photos)
    given = [str(Path(path).relative_to(photos)) for path in paths]
    seen = []
    ray = InlineRay(ends=lambda part: seen.extend(part.paths) or False)
    there = ClusterPass(lambda: ray)(given, export_classical())
    assert sorted(seen) == sorted(paths)
    assert [refusal.path for refusal in there.refused] == [
        given[paths.index(refusal.path)] for refusal in extract_here(paths, export_classical()).refused
    ]


def test_a_machine_with_other_versions_stops_the_run(paths, monkeypatch):
    monkeypatch.setattr(features, "feature_key", lambda *given: "another")
    with pytest.raises(OutputError, match="install the same versions on all"):
        ClusterPass(InlineRay)(paths, export_classical())


@pytest.mark.parametrize(
    ("count", "workers", "size"), [(1, 2, 2), (69, 2, 10), (100_000, 8, 64), (64, 1, 16), (65, 1, 18)]
)
def test_parts_are_even_and_share_the_work(count, workers, size):
    assert part_size(count, workers) == size


def test_parts_are_put_in_order():
    numbers = list(range(30))
    random.Random(0).shuffle(numbers)
    ordered = in_number_order(ImagePartDone(number) for number in numbers)
    assert [done.number for done in ordered] == list(range(30))


def test_the_context_ends_and_without_a_cluster_nothing_changes(paths, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", InlineRay())
    asked = []
    monkeypatch.setattr(ClusterPass, "__call__", lambda self, paths, *given, **more: asked.append(paths))
    with features_on_cluster("local"):
        extract(paths, export_classical())
    with features_on_cluster(None):
        extract(paths[:2], export_classical())
    extract(paths[:2], export_classical())
    assert asked == [paths]


def test_estimates_of_time_know_the_cores_of_a_cluster(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", InlineRay(cpus=12))
    monkeypatch.setattr(features, "usable_cores", lambda: 4)
    with features_on_cluster("auto"):
        assert times_as_many_cores() == 3
        monkeypatch.setattr(features, "usable_cores", lambda: 16)
        assert times_as_many_cores() == 1
    assert times_as_many_cores() == 1


def test_machines_of_a_cluster_can_read_many_features_until_the_context_ends(paths, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", InlineRay())
    monkeypatch.setattr(feature_table, "IN_MEMORY_BYTES", 100)
    with features_on_cluster("auto"):
        found = extract(paths, export_classical(), cache=tmp_path)
        file = FeatureFile.of(found.vectors)
        np.testing.assert_array_equal(file.opened(), found.vectors)
        assert file.path.is_relative_to(tmp_path)
        assert scatter._PASS.get() != scatter.fold_sums_here
    assert not file.path.exists()
    assert scatter._PASS.get() == scatter.fold_sums_here
    with features_on_cluster("local"):  # whose cores are those of this process
        found = extract(paths, export_classical(), cache=tmp_path)
        np.testing.assert_array_equal(FeatureFile.of(found.vectors).opened(), found.vectors)
        assert scatter._PASS.get() == scatter.fold_sums_here


@pytest.mark.parametrize("recipe", ["finetune", "cnn"])
def test_training_a_network_is_refused_before_any_work(recipe, capsys, tmp_path):
    if recipe not in fieldguide.recipes.usable():
        pytest.skip(f"the recipe {recipe} needs torch")
    given = ["--recipe", recipe, "--out", str(tmp_path / "m.onnx")]
    assert main(["train", "/nowhere/at/all", *given, "--cluster"]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert f"--cluster: computes features, and the recipe {recipe} trains a network instead" in said[0]


@pytest.mark.parametrize("command", ["compare", "tune"])
def test_folds_of_networks_are_not(command, capsys, tmp_path):
    if "cnn" not in fieldguide.recipes.usable():
        pytest.skip("the recipe cnn needs torch")
    tune = ["--recipe", "cnn", "--trials", "1", "--out", str(tmp_path / "m.onnx")]
    given = ["--recipes", "svm,cnn"] if command == "compare" else tune
    assert main([command, "/nowhere/at/all", *given, "--cluster"]) == 2
    assert "there is no such file or folder" in capsys.readouterr().err


def processes(word):
    """Process and parent of each process of this user whose command holds a word."""
    listed = subprocess.run(
        ["ps", "-ewwo", "pid,ppid,args"], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    return [(int(pid), int(parent)) for pid, parent, args in rows if word in args]


def own_workers(driver):
    """The processes of Ray that compute features for one driver."""
    raylets = [pid for pid, parent in processes("raylet/raylet") if parent == driver]
    return [pid for pid, parent in processes("ray::FeatureWorker") if parent in raylets]


def trained(photos, out, monkeypatch, *more):
    """The model file that the command writes, with a cache of its own."""
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(out.parent / f"{out.stem}-cache"))
    assert main(["train", str(photos), "--out", str(out), "--json", f"{out}.json", *more]) == 1
    return out.read_bytes(), json.loads(Path(f"{out}.json").read_text())["refused"]


@pytest.mark.long
@pytest.mark.parametrize("recipe", ["linear-probe", "extra-trees"])
def test_the_command_writes_the_file_of_a_plain_run(recipe, photos, tmp_path, monkeypatch):
    pytest.importorskip("ray")
    more = ["--size", "96"] if recipe == "linear-probe" else ["--recipe", recipe]
    monkeypatch.chdir(photos.parent)
    plain = trained(Path(photos.name), tmp_path / "plain.onnx", monkeypatch, *more)
    spread = trained(Path(photos.name), tmp_path / "spread.onnx", monkeypatch, *more, "--cluster")
    assert plain == spread
    assert [refusal["code"] for refusal in plain[1]] == ["truncated", "empty"]


@pytest.mark.long
def test_processes_of_ray_that_are_killed_change_nothing(paths):
    pytest.importorskip("ray")
    killed = []

    def kill(stage, done, total):
        workers = own_workers(os.getpid())
        if workers and len(killed) < 3 and done > 30 * len(killed):
            killed.append(random.Random(0).choice(workers))
            os.kill(killed[-1], signal.SIGKILL)

    backbone, many = export_joined("efficientnet_lite0", size=96), paths * 12
    with features_on_cluster("local", cores=2):
        there = extract(many, backbone, progress=kill)
    assert len(killed) == 3
    same(extract_here(many, backbone), there)
    assert not own_workers(os.getpid())
