"""predict.py on a real Ray of this machine: the rows of a run without it, whatever is killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("ray")

import fieldguide
from fieldguide.cluster.predict import ClusterRun, check_cluster, predict_on_cluster
from fieldguide.errors import DataError, OptionError, OutputError
from fieldguide.prediction.inputs import Inputs, find_inputs
from fieldguide.prediction.items import EmbeddedImage
from fieldguide.prediction.parts import PartFolder, merge_parts

COMMAND = """
import sys
from pathlib import Path
import fieldguide
from fieldguide.cluster.predict import ClusterRun, predict_on_cluster
from fieldguide.prediction.inputs import find_inputs
model, photos, out = sys.argv[1:]
inputs = find_inputs([photos] * 100)
print(predict_on_cluster(fieldguide.load(model), inputs, Path(out), ClusterRun(cores=2, part_rows=50)).rows)
"""
ROWS, PARTS = 4500, 90


@pytest.fixture(scope="module")
def photos(paint_classes, tmp_path_factory):
    folder = paint_classes(tmp_path_factory.mktemp("photos"), {"red": 20, "green": 20, "grey": 5})
    (folder / "red" / "003.png").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def plain(photos, colours, tmp_path_factory):
    out = tmp_path_factory.mktemp("plain") / "plain.jsonl"
    fieldguide.predict(colours, photos, out=out)
    return out.read_bytes()


def merged(parts, tmp_path):
    merge_parts(parts, tmp_path / "merged.jsonl")
    return (tmp_path / "merged.jsonl").read_bytes()


def processes(word):
    """Of this user, by a word of their command."""
    listed = subprocess.run(
        ["ps", "-ewwo", "pid,ppid,args"], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    return [(int(pid), int(parent)) for pid, parent, args in rows if word in args]


@pytest.mark.long
def test_the_command_gives_the_rows_of_a_plain_run(photos, colours, plain, tmp_path, capsys, monkeypatch):
    from fieldguide.cli import main

    monkeypatch.chdir(photos.parent)
    given = ["predict", str(colours), str(photos), "--out", str(tmp_path / "parts"), "--cluster"]
    assert main(given) == 1
    assert main(["merge", str(tmp_path / "parts"), "--out", str(tmp_path / "merged.jsonl")]) == 0
    assert (tmp_path / "merged.jsonl").read_bytes() == plain
    said = capsys.readouterr().err
    assert "parts: 45 rows" in said
    assert "merged.jsonl: 45 rows" in said
    assert main([*given, "--allow-refused"]) == 0
    assert "45 of them kept from an earlier run" in capsys.readouterr().err
    paint_over = photos / "red" / "003.png"
    empty = paint_over.read_bytes()
    paint_over.write_bytes((photos / "red" / "004.png").read_bytes())
    try:
        assert main([*given, "--retry-refused"]) == 0
    finally:
        paint_over.write_bytes(empty)
    assert "45 rows, 44 of them kept" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_workers_that_are_killed_at_random_change_nothing(seed, photos, colours, plain, tmp_path):
    chance = random.Random(seed)
    command = [sys.executable, "-c", COMMAND, str(colours), str(photos), str(tmp_path / "parts")]
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    kills, deadline = 0, time.monotonic() + 120
    while driver.poll() is None and time.monotonic() < deadline:
        raylets = [pid for pid, parent in processes("raylet/raylet") if parent == driver.pid]
        workers = [pid for pid, parent in processes("ray::PartWorker") if parent in raylets]
        if workers and kills < 4 and PartFolder(tmp_path / "parts").numbers():
            os.kill(chance.choice(workers), signal.SIGKILL)
            kills += 1
        time.sleep(chance.uniform(0.05, 0.3))
    assert driver.communicate()[0].splitlines()[-1] == str(ROWS)  # Ray says before that a worker died
    assert kills > 0
    assert merged(tmp_path / "parts", tmp_path) == plain * 100


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_a_driver_that_is_killed_goes_on_and_leaves_no_process(seed, photos, colours, plain, tmp_path):
    chance = random.Random(seed)
    command = [sys.executable, "-c", COMMAND, str(colours), str(photos), str(tmp_path / "parts")]
    wanted = chance.randrange(1, PARTS - 20)
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    parts, deadline = PartFolder(tmp_path / "parts"), time.monotonic() + 120
    while driver.poll() is None and len(parts.numbers()) < wanted and time.monotonic() < deadline:
        time.sleep(0.005)
    raylets = [pid for pid, parent in processes("raylet/raylet") if parent == driver.pid]
    driver.kill()
    driver.wait()
    before = parts.numbers()
    assert 0 < len(before) < PARTS
    times = {number: (parts.place / f"part-{number:06}.parquet").stat().st_mtime_ns for number in before}
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(ROWS)
    for number, written in times.items():
        assert (parts.place / f"part-{number:06}.parquet").stat().st_mtime_ns == written
    assert merged(parts.place, tmp_path) == plain * 100
    assert not {pid for pid, _ in processes("raylet/raylet")} & set(raylets)


def done_before(photos, colours, out):
    """A folder in which all parts are done already, so that no cluster is needed."""
    from fieldguide.cluster.part_worker import Part, PartWorker
    from fieldguide.prediction.parts import manifest_of

    model, items = fieldguide.load(colours), find_inputs([photos]).items
    manifest = manifest_of(model.digest, items, 5, 1, 10)
    folder = PartFolder(out)
    folder.begin(manifest)
    worker = PartWorker(model.model_file, folder, manifest)
    for number in range(manifest.parts):
        first, end = manifest.bounds(number)
        worker.work(Part(number, items[first:end]))
    return model


def test_what_is_done_is_counted_without_a_cluster(photos, colours, tmp_path, monkeypatch):
    model = done_before(photos, colours, tmp_path / "parts")
    monkeypatch.setitem(sys.modules, "ray", None)
    written = predict_on_cluster(model, find_inputs([photos]), tmp_path / "parts", ClusterRun(part_rows=10))
    assert (written.rows, written.kept, written.refused) == (45, 45, 1)
    assert [refusal.code for refusal in written.first_refused] == ["empty"]
    assert json.loads((tmp_path / "parts" / "manifest.json").read_text())["done"] == 5


def test_other_inputs_do_not_go_into_the_same_folder(photos, colours, tmp_path):
    model = done_before(photos, colours, tmp_path / "parts")
    with pytest.raises(OutputError, match="other inputs"):
        predict_on_cluster(model, find_inputs([photos / "red"]), tmp_path / "parts", ClusterRun(part_rows=10))


def test_images_inside_of_a_table_reach_no_other_machine(colours, tmp_path):
    inputs = Inputs([EmbeddedImage("t.zip/a.jpg", "/tmp/a.jpg")])
    with pytest.raises(DataError, match="images in a table or an archive are on this machine only"):
        predict_on_cluster(fieldguide.load(colours), inputs, tmp_path / "parts", ClusterRun("auto"))


@pytest.mark.parametrize(
    ("cluster", "out", "form", "retry", "said"),
    [
        (None, "x.csv", None, True, "--retry-refused goes with --cluster"),
        ("local", None, None, False, "say which with --out FOLDER"),
        ("local", "parts", "cvat", False, "leave --form out"),
    ],
)
def test_options_that_do_not_go_together_are_refused(cluster, out, form, retry, said):
    with pytest.raises(OptionError, match=said):
        check_cluster(cluster, out, form, retry)


def test_the_command_takes_a_folder_with_a_cluster_and_a_file_without(colours, photos, capsys):
    from fieldguide.cli import main

    assert main(["predict", str(colours), str(photos), "--out", "x.csv", "--cluster"]) == 2
    assert "--out: must be a folder; got 'x.csv', which ends in .csv" in capsys.readouterr().err
    assert main(["predict", str(colours), str(photos), "--out", str(Path("parts"))]) == 2
    assert "--out: must end in .csv or .jsonl or .parquet" in capsys.readouterr().err
