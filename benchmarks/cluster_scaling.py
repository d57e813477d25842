"""What a feature pass on a cluster costs the workers and the machine that asks, and how far that scales.

    python benchmarks/cluster_scaling.py FOLDER [--most 160] [--asked 16000]

Processor seconds, since others use the machine. One and two processes of Ray compute the features of the
same photos, fixed costs left out (w, a photo). What the machine that asks does with each photo (d: unpack,
put in order, keep in the cache and in the file of features) is measured over many made answers, which come
as bytes as they do from Ray. N photos on W workers then take s + N · max(w / W, d), with s for the start.
"""

import argparse
import dataclasses
import os
import pickle
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from fieldguide.backbones.side_by_side import export_joined
from fieldguide.cluster import features
from fieldguide.cluster.feature_worker import FeatureWorker, ImagePartDone
from fieldguide.cluster.features import ClusterPass
from fieldguide.cluster.ray_session import ray_session
from fieldguide.images.content_cache import Entry
from fieldguide.prediction.inputs import find_inputs

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
WORKERS = (1, 10, 100, 300, 1000)


class TimedWorker(FeatureWorker):
    """Tells its processor seconds as those of decoding."""

    def work(self, part):
        begun = time.process_time()
        done = super().work(part)
        return dataclasses.replace(done, seconds={"decode": time.process_time() - begun, "network": 0.0})


class MadeWorker:
    """Answers at once, with features that were never computed."""

    def __init__(self, job, prefixes):
        made = np.random.default_rng(0)
        vectors = made.normal(size=(features.PART_IMAGES, job.backbone.features)).astype(np.float32)
        self.content = pickle.dumps([(np.zeros(64, np.uint8), vector) for vector in vectors], 5)

    def ready(self):
        pass

    def work(self, part):
        told = pickle.loads(self.content)  # noqa: S301 - its own bytes, in the form that Ray has them
        return ImagePartDone(
            part.number, tuple(Entry(os.urandom(32), *one) for one in told[: len(part.paths)])
        )


def working(paths, backbone, cores):
    """Processor seconds of the workers."""
    features.FeatureWorker = TimedWorker
    with ray_session(cores=cores) as ray:
        return ClusterPass(lambda: ray)(paths, backbone).seconds["decode"]


def asking(count, backbone):
    """Processor seconds of the machine that asks."""
    from inline_ray import InlineRay

    features.FeatureWorker = MadeWorker
    with tempfile.TemporaryDirectory() as cache:
        begun = time.process_time()
        ClusterPass(InlineRay)([f"/{number}.jpg" for number in range(count)], backbone, cache=Path(cache))
        return time.process_time() - begun


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--most", type=int, default=160)
    parser.add_argument("--asked", type=int, default=16_000)
    given = parser.parse_args()
    backbone = export_joined("efficientnet_lite0", size=288)
    few = given.asked // 4
    here = 1e3 * (asking(given.asked, backbone) - asking(few, backbone)) / (given.asked - few)
    paths = [str(path) for path in find_inputs([given.folder]).items[: given.most]]
    few = len(paths) // 4
    each = []
    for cores in (1, 2):
        seconds = working(paths, backbone, cores) - working(paths[:few], backbone, cores)
        each.append(1e3 * seconds / (len(paths) - few))
    print(f"w {each[0]:.1f} ms with one worker, {each[1]:.1f} ms with two; d {here:.3f} ms")
    print(f"level at {each[0] / here:.0f} workers")
    for workers in WORKERS:
        longest = max(each[0] / workers, here)
        print(f"{workers} workers: {1e3 / longest:.0f} photos a second, {each[0] / workers / longest:.2f}")


if __name__ == "__main__":
    main()
