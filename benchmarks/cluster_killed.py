"""`predict --cluster`, killed with -9 at random moments and gone on with: as a plain run, one row an input.

    python benchmarks/cluster_killed.py [--inputs 20000] [--kills 30] [--seed 0] [--raylets 3]

Inputs are small and made, and one in a hundred is broken. With `--raylets 1` the command starts a cluster of
its own, and a worker, the raylet, Ray's own server (GCS) or the command itself is killed. With more, the
command joins a cluster of so many raylets on this machine, of which a worker, a raylet without the head, or
the command is killed; a raylet that was killed is started again. The same command then goes on. When all
parts are there, they are merged and compared with the rows of a run without Ray, byte by byte, and a new
round begins, until there were so many kills. The exit code is 1 if anything is not so.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

import fieldguide
from fieldguide.prediction.parts import PartFolder, merge_parts

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from tiny_model import write_tiny_model

PATIENCE = 180
"""Seconds that a run may do nothing."""
VICTIMS = {
    "worker": "ray::PartWorker",
    "raylet": "raylet/raylet",
    "gcs": "gcs/gcs_server",
    "command": "",
}


def main():
    """Print a line a round."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--raylets", type=int, default=1)
    options = parser.parse_args()
    chance, kills, rounds = random.Random(options.seed), Counter(), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = _photos(folder / "photos", options.inputs)
        model = write_tiny_model(folder / "model.onnx")
        fieldguide.predict(model, photos, out=folder / "plain.jsonl", progress=False)
        plain = (folder / "plain.jsonl").read_bytes()
        with _cluster(options.raylets) as cluster:
            while kills.total() < options.kills:
                rounds += 1
                out = folder / f"parts-{rounds}"
                command = _command(model, photos, out, cluster)
                begun, before = time.monotonic(), kills.total()
                _until_whole(command, out, chance, kills, cluster, options.kills)
                merge_parts(out, folder / "merged.jsonl")
                same = (folder / "merged.jsonl").read_bytes() == plain
                row = {"round": rounds, "kills": kills.total() - before, "same": same}
                print(json.dumps({**row, "seconds": round(time.monotonic() - begun)}), flush=True)
                if not same:
                    raise SystemExit(1)
    told = {"inputs": options.inputs, "raylets": options.raylets, "rounds": rounds, "kills": dict(kills)}
    print(json.dumps(told))


def _photos(folder, count):
    """Files of which no two are alike, one in a hundred cut off."""
    folder.mkdir()
    pixels = np.zeros((24, 24, 3), np.uint8)
    for number in range(count):
        pixels[0, 0] = [number >> 16 & 255, number >> 8 & 255, number & 255]
        pixels[1:] = [(number * 37) % 256, (number * 91) % 256, (number * 53) % 256]
        path = folder / f"{number:06}.png"
        Image.fromarray(pixels).save(path)
        if number % 100 == 7:
            path.write_bytes(path.read_bytes()[:40])
    return folder


def _command(model, photos, out, cluster):
    joined = "--cluster=local" if cluster.address is None else f"--cluster={cluster.address}"
    return [sys.executable, "-m", "fieldguide", "predict", str(model), str(photos), "--out", str(out), joined]


def _until_whole(command, out, chance, kills, cluster, wanted):
    """Run it, and kill something, until all parts are there."""
    while True:
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        killed = False
        while run.poll() is None and kills.total() < wanted:
            _wait_for_work(run, out, cluster)
            time.sleep(chance.uniform(0.0, 1.0))
            killed |= _kill_something(run, chance, kills, cluster)
        try:
            said = run.communicate(timeout=PATIENCE)[1]
        except subprocess.TimeoutExpired:
            run.kill()
            raise SystemExit(f"the command did nothing for {PATIENCE} s") from None
        cluster.mend()
        if run.returncode == 0 or (run.returncode == 1 and _is_whole(out)):  # 1: some inputs were refused
            return
        if not killed:
            raise SystemExit(f"the command ended by itself with {run.returncode}: {said[-2000:]}")


def _wait_for_work(run, out, cluster):
    """Until this run has a process that works."""
    deadline = time.monotonic() + PATIENCE
    while run.poll() is None and not _processes("worker", run.pid, cluster):
        if time.monotonic() > deadline:
            run.kill()
            raise SystemExit(f"no process of {out.name} began to work for {PATIENCE} s")
        time.sleep(0.05)


def _kill_something(run, chance, kills, cluster):
    """Whether something that lived was killed."""
    kinds = ["worker", "worker", "raylet", "command"] + (["gcs"] if cluster.address is None else [])
    kind = chance.choice(kinds)
    found = [run.pid] if kind == "command" else _processes(kind, run.pid, cluster)
    if run.poll() is not None or not found:
        return False
    try:
        os.kill(chance.choice(found), signal.SIGKILL)
    except ProcessLookupError:
        return False
    kills[kind] += 1
    return True


def _processes(kind, command, cluster):
    """Of this run or its cluster, by what they do; never the cluster's own head."""
    parents, words = {}, {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            words[int(place.name)] = (
                (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
        except (OSError, ValueError):
            continue
    own = {command, *cluster.raylets()}
    while found := {number for number, parent in parents.items() if parent in own} - own:
        own |= found
    return [number for number in own - {cluster.head()} if VICTIMS[kind] in words.get(number, "")]


class _Own:
    """The cluster that each command starts by itself."""

    address = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Nothing to stop."""

    def raylets(self):
        return []

    def head(self):
        return -1

    def mend(self):
        """The next command starts another one."""


class _Several:
    """Raylets of Ray's own cluster for tests, of one core each."""

    def __init__(self, count):
        from ray.cluster_utils import Cluster

        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        self._count = count
        self._cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
        )
        self.address = self._cluster.address
        self._nodes = [self._cluster.add_node(num_cpus=1) for _ in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._cluster.shutdown()

    def _pid(self, node):
        return node.all_processes["raylet"][0].process.pid

    def raylets(self):
        return [self._pid(node) for node in self._nodes]

    def head(self):
        return self._pid(self._cluster.head_node)

    def mend(self):
        """Start again what was killed."""
        for node in [one for one in self._nodes if not one.live_processes() or self._is_dead(one)]:
            self._nodes.remove(node)
            self._cluster.remove_node(node, allow_graceful=False)
            self._nodes.append(self._cluster.add_node(num_cpus=1))

    def _is_dead(self, node):
        return node.all_processes["raylet"][0].process.poll() is not None


def _cluster(raylets):
    return _Own() if raylets == 1 else _Several(raylets)


def _is_whole(out):
    folder = PartFolder(out)
    try:
        manifest = json.loads((out / "manifest.json").read_text())
    except (OSError, ValueError):
        return False
    return len(folder.numbers()) == manifest["parts"]


if __name__ == "__main__":
    main()
