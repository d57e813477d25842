"""feature_worker.py: what a process does, done in this one."""

import dataclasses

import numpy as np
import pytest

from fieldguide.backbones.classical.export import export_classical
from fieldguide.backbones.extraction import extract_here, feature_key
from fieldguide.backbones.runner import OnnxRunner
from fieldguide.cluster import feature_worker
from fieldguide.cluster.feature_worker import (
    FeatureJob,
    FeatureWorker,
    ImagePart,
    KnownDigests,
    KnownImage,
)
from fieldguide.errors import OutputError, Refusal
from fieldguide.images.content_cache import Entry

NOTHING = np.empty(0, np.uint64)


@pytest.fixture
def paths(paint_classes, tmp_path):
    folder = paint_classes(tmp_path / "photos", {"red": 4, "grey": 3})
    (folder / "red" / "001.png").write_bytes(b"")
    return [str(path) for path in sorted(folder.rglob("*.png"))]


def job_of(backbone, flips=False):
    key = feature_key(backbone, OnnxRunner.kind, flips)
    return FeatureJob(backbone, backbone.path.read_bytes(), flips, key)


@pytest.mark.parametrize("flips", [False, True])
def test_a_part_has_the_features_that_one_machine_computes(paths, flips):
    backbone = export_classical()
    here = extract_here(paths, backbone, flips=flips)
    done = FeatureWorker(job_of(backbone, flips), NOTHING).work(ImagePart(3, paths))
    assert (done.number, done.failed) == (3, "")
    kept = [image for image in done.images if isinstance(image, Entry)]
    assert [image.digest.hex() for image in kept] == list(here.digests)
    np.testing.assert_array_equal(np.stack([image.vector for image in kept]), here.vectors)
    np.testing.assert_array_equal(np.stack([image.signature for image in kept]), here.signatures)
    place = paths.index(here.refused[0].path)
    assert [image for image in done.images if isinstance(image, Refusal)] == list(here.refused)
    assert done.images[place] == here.refused[0]
    assert done.seconds["network"] > 0 and done.seconds["decode"] > 0


def test_seconds_are_those_of_the_part(paths):
    worker = FeatureWorker(job_of(export_classical()), NOTHING)
    worker.work(ImagePart(0, paths))
    assert worker.work(ImagePart(1, [])).seconds == {"decode": 0.0, "network": 0.0}


def test_what_is_known_is_only_named(paths):
    backbone = export_classical()
    digests = [bytes.fromhex(digest) for digest in extract_here(paths, backbone).digests]
    known = np.frombuffer(b"".join(digests[1:3]), np.uint8).reshape(-1, 32)
    worker = FeatureWorker(job_of(backbone), KnownDigests.prefixes_of(known))
    done = worker.work(ImagePart(0, paths))
    assert [image for image in done.images if isinstance(image, KnownImage)] == [
        KnownImage(digest) for digest in digests[1:3]
    ]
    assert sum(isinstance(image, Entry) for image in done.images) == len(digests) - 2


def test_digests_are_known_by_their_first_bytes():
    digests = np.random.default_rng(0).integers(0, 256, (50, 32), dtype=np.uint8)
    known = KnownDigests(KnownDigests.prefixes_of(digests[:40]))
    assert [digest.tobytes() in known for digest in digests] == [True] * 40 + [False] * 10
    assert digests[0].tobytes() not in KnownDigests(KnownDigests.prefixes_of(digests[:0]))
    greatest = bytes([255]) * 32
    assert greatest not in known


def test_a_machine_with_other_versions_does_no_work(paths):
    job = dataclasses.replace(job_of(export_classical()), key="that of another version")
    done = FeatureWorker(job, NOTHING).work(ImagePart(2, paths))
    assert done.images == ()
    assert "of the cluster has fieldguide " in done.failed
    assert "install the same versions on all" in done.failed


def test_the_network_is_sent_along(paths, tmp_path, monkeypatch):
    backbone = export_classical()
    job = dataclasses.replace(job_of(backbone), backbone=dataclasses.replace(backbone, path=tmp_path / "no"))
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(tmp_path / "cache"))
    assert FeatureWorker(job, NOTHING).work(ImagePart(0, paths[:1])).failed == ""
    assert (tmp_path / "cache" / "backbones" / f"{backbone.digest}.onnx").is_file()


def test_a_machine_that_cannot_keep_the_network_says_why(paths, monkeypatch):
    def full(content):
        raise OutputError("/cache: no room for the network; free some")

    monkeypatch.setattr(feature_worker, "kept", full)
    worker = FeatureWorker(job_of(export_classical()), NOTHING)
    worker.ready()
    done = worker.work(ImagePart(3, paths))
    assert (done.number, done.images) == (3, ())
    assert done.failed.startswith("--cluster: the machine ")
    assert done.failed.endswith(": /cache: no room for the network; free some")
