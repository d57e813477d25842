"""part_worker.py: what a process does, done in this one."""

import dataclasses

import pytest

pytest.importorskip("pyarrow")

import fieldguide
from fieldguide.cluster.part_worker import Part, PartWorker
from fieldguide.prediction.parts import PartFolder, manifest_of


@pytest.fixture
def items(paint_classes, tmp_path):
    folder = paint_classes(tmp_path / "photos", {"red": 3, "grey": 1})
    (folder / "red" / "001.png").write_bytes(b"")
    return [str(path) for path in sorted(folder.rglob("*.png"))]


@pytest.fixture
def worker(colours, items, tmp_path):
    model = fieldguide.load(colours)
    folder = PartFolder(tmp_path / "parts")
    manifest = manifest_of(model.digest, items, 5, 1, 10)
    folder.begin(manifest)
    return PartWorker(model.model_file, folder, manifest)


def test_a_part_is_written_and_counted(worker, items, colours, tmp_path):
    done = worker.work(Part(0, items))
    assert (done.number, done.rows, done.refused, done.failed) == (0, 4, 1, "")
    assert [refusal.code for refusal in done.first_refused] == ["empty"]
    rows = PartFolder(tmp_path / "parts").rows(0)
    assert rows == [answer.as_row() for answer in fieldguide.load(colours).predict(items)]


def test_only_what_was_refused_is_tried_again(worker, items, paint, tmp_path, monkeypatch):
    worker.work(Part(0, items))
    before = PartFolder(tmp_path / "parts").rows(0)
    paint(tmp_path / "photos" / "red" / "001.png", (200, 60, 60), 7)
    asked = []
    stream = worker._predictor.predict_stream

    def recorded(sources, top):
        asked.extend(sources)
        return stream(sources, top=top)

    monkeypatch.setattr(worker._predictor, "predict_stream", recorded)
    done = worker.work(Part(0, items, retried=True))
    after = PartFolder(tmp_path / "parts").rows(0)
    assert asked == [items[2]]
    assert (done.rows, done.refused) == (4, 0)
    assert [one for one in range(4) if before[one] != after[one]] == [2]
    assert after[2]["label"] == "red"


def test_what_stops_the_whole_run_is_told(worker, items, tmp_path):
    gone = dataclasses.replace(worker._folder, place=tmp_path / "nowhere")
    worker._folder = gone
    assert "cannot be written" in worker.work(Part(0, items)).failed
