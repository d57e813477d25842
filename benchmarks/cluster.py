"""`predict --cluster` beside plain `predict`, and photos from an S3 server with 50 ms a request beside files.

    python benchmarks/cluster.py FOLDER [--most 1000] [--runs 3]

Runs alternate. Ray's start (the cluster, and the model in each process) is apart: a run over two photos is
timed as well and subtracted. The server is moto behind a proxy that waits, both on this machine and its
cores.
"""

import argparse
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import fieldguide
from fieldguide.cluster.predict import ClusterRun, predict_on_cluster
from fieldguide.prediction.inputs import Inputs, find_inputs
from fieldguide.prediction.parts import merge_parts
from fieldguide.prediction.writers import write_predictions

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
DELAY = 0.05


def seconds(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def on_cluster(model, inputs, out):
    shutil.rmtree(out, ignore_errors=True)
    return seconds(lambda: predict_on_cluster(model, inputs, out, ClusterRun(part_rows=100)))


def plainly(model, inputs, out):
    return seconds(lambda: write_predictions(model, inputs, out))


def compare_cluster(model, inputs, folder, runs):
    few = Inputs(inputs.items[:2])
    start = statistics.median(on_cluster(model, few, folder / "few") for _ in range(2))
    print(f"start of Ray with two photos: {start:.1f} s")
    for _ in range(runs):
        plain = plainly(model, inputs, folder / "plain.jsonl")
        spread = on_cluster(model, inputs, folder / "parts")
        merge_parts(folder / "parts", folder / "merged.jsonl")
        same = (folder / "merged.jsonl").read_bytes() == (folder / "plain.jsonl").read_bytes()
        share = plain / (spread - start)
        print(
            f"plain {plain:.1f} s, cluster {spread:.1f} s: {share:.2f} of its throughput; same rows: {same}"
        )


def compare_store(model, inputs, folder, runs):
    from object_server import object_server

    with object_server(os.environ.__setitem__) as server:
        for number, item in enumerate(inputs.items):
            server.put(f"set/{number:06}{Path(item).suffix}", Path(item).read_bytes())
        server.proxy.faults.delay = DELAY
        far = find_inputs(["s3://photos/set"])
        for _ in range(runs):
            plain = plainly(model, inputs, folder / "near.jsonl")
            fetched = plainly(model, far, folder / "far.jsonl")
            print(
                f"files {plain:.1f} s, S3 at 50 ms {fetched:.1f} s: {plain / fetched:.2f} of the throughput"
            )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    inputs = Inputs(find_inputs([given.folder]).items[: given.most])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fieldguide.pretrained("efficientnet_lite0", out=folder / "model.onnx")
        model = fieldguide.load(folder / "model.onnx")
        print(f"{len(inputs)} photos")
        compare_cluster(model, inputs, folder, given.runs)
        compare_store(model, inputs, folder, given.runs)
    print(f"peak of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
