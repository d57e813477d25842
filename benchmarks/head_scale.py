"""The head of `linear-probe` on made features, however many: seconds of processor and peak memory.

    python benchmarks/head_scale.py [--images 200000 1000000] [--width 2048] [--classes 10] [--cluster]

Each number of images has a process of its own. The features are random numbers around a centre for each
class, in float16 in a file, as `train` keeps many.
With `--cluster` the sums are added up by processes of Ray as well, which is started with one core more than
there are, and the head is compared with the other.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from fieldguide.cluster import sums
from fieldguide.cluster.ray_session import ray_session
from fieldguide.cluster.sums import ClusterSums
from fieldguide.heads.linear_head import fit_probe
from fieldguide.heads.scatter import summed_by
from fieldguide.heads.training_table import TrainingTable
from fieldguide.large_arrays import in_named_file, let_pages_go

BLOCK = 8192


def made(images, width, classes, folder):
    """Features, labels and folds: every fifth direction tells the classes apart a little."""
    random = np.random.default_rng(0)
    labels, folds = random.integers(0, classes, images), random.integers(0, 5, images)
    centres = np.zeros((classes, width), np.float32)
    centres[:, ::5] = random.normal(0, 0.15, (classes, len(centres[0, ::5])))
    vectors = in_named_file((images, width), np.float16, folder / "features", "features")
    for start in range(0, images, BLOCK):
        some = labels[start : start + BLOCK]
        vectors[start : start + BLOCK] = centres[some] + random.standard_normal(
            (len(some), width), np.float32
        )
        let_pages_go(vectors)
    return vectors, labels, folds


def fitted(vectors, labels, folds):
    begun = time.process_time()
    table = TrainingTable.of(vectors, labels, folds)
    probe = fit_probe(table, (("final", table.n_features),), seed=0)
    return probe, time.process_time() - begun


def one_size(options):
    with tempfile.TemporaryDirectory() as name:
        given = made(options.one, options.width, options.classes, Path(name))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        probe, seconds = fitted(*given)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        accuracy = probe.promises.calibrated.accuracy
        print(
            f"{options.one:,} images of {options.width} features: {seconds:.1f} s of processor, "
            f"{seconds / options.one * 1e6:.0f} µs an image, {peak:.0f} MB at most ({before:.0f} before), "
            f"accuracy {accuracy:.4f}",
            flush=True,
        )
        if options.cluster:
            on_cluster(given, probe)


def on_cluster(given, probe):
    cores = sums.usable_cores()
    with ray_session(cores=cores + 1) as ray, summed_by(ClusterSums(lambda: ray)):
        other, seconds = fitted(*given)
    one, two = probe.promises.probabilities, other.promises.probabilities
    same = (one.argmax(1) == two.argmax(1)).all()
    apart = np.abs(probe.head.weights - other.head.weights).max() / np.abs(probe.head.weights).max()
    print(
        f"  by {cores + 1} processes: {seconds:.1f} s of processor here; same labels: {same}; probabilities "
        f"apart by at most {np.abs(one - two).max():.1e}, weights by {apart:.1e} of the largest",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        one_size(options)
        return
    for images in options.images:  # a process each, whose peak is its own
        subprocess.run([sys.executable, *sys.argv, "--one", str(images)], check=True)


if __name__ == "__main__":
    main()
