"""parts.py: parts are whole or not there, and merged they are the file of a run without parts."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("pyarrow")
import pyarrow.parquet

from fieldguide.errors import DataError, OptionError, OutputError
from fieldguide.prediction.inputs import Inputs
from fieldguide.prediction.parts import MANIFEST, PartFolder, PartState, manifest_of, merge_parts
from fieldguide.prediction.predictor import load
from fieldguide.prediction.rows import columns_for
from fieldguide.prediction.writers import write_predictions
from writer_oracle import NAMES, Oracle

TAGS = Path(__file__).parents[1] / "golden" / "tags.onnx"
RUN = manifest_of("f" * 64, NAMES, 5, 1, part_rows=4)


def rows_of(names):
    return [answer.as_row() for answer in Oracle().predict_stream(names, top=5)]


def write(folder, number, manifest=RUN):
    first, end = manifest.bounds(number)
    folder.write_part(number, first, rows_of(NAMES[first:end]), manifest)


@pytest.fixture
def folder(tmp_path):
    folder = PartFolder(tmp_path / "deep" / "parts")
    folder.begin(RUN)
    return folder


def test_a_part_holds_the_columns_of_parquet_results_and_the_place_of_each_input(folder):
    write(folder, 0)
    write(folder, 1)
    table = pyarrow.parquet.read_table(folder.place / "part-000001.parquet")
    assert table.column_names == ["index", *columns_for(1), "row"]
    assert table["index"].to_pylist() == [4, 5]
    assert table["answer"].to_pylist() == ["=evil", "=evil"]
    assert json.loads(table["row"][1].as_py())["path"] == NAMES[5]
    assert (folder.state(0, RUN), folder.state(1, RUN)) == (PartState(4, 1), PartState(2, 0))
    assert folder.numbers() == {0, 1}


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("listed", [1, 2])
def test_merged_they_are_the_file_of_a_run_without_parts(suffix, listed, tmp_path):
    run = dataclasses.replace(RUN, listed=listed)
    folder = PartFolder(tmp_path / "parts")
    folder.begin(run)
    write(folder, 1, run)
    write(folder, 0, run)
    told = []
    assert merge_parts(folder.place, tmp_path / f"x{suffix}", lambda *said: told.append(said)) == 6
    write_predictions(Oracle(), Inputs(NAMES), tmp_path / f"y{suffix}", listed=listed)
    assert (tmp_path / f"x{suffix}").read_bytes() == (tmp_path / f"y{suffix}").read_bytes()
    assert told == [("merging", 4, 6), ("merging", 6, 6)]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_parts_of_a_model_of_tags_are_merged_to_the_file_of_a_run_without_parts(suffix, tmp_path):
    (tmp_path / "broken.png").write_text("no image")
    Image.new("RGB", (9, 7), "red").save(tmp_path / "red.png")
    Image.new("RGB", (7, 9), "blue").save(tmp_path / "blue.png")
    names = [str(tmp_path / name) for name in ("broken.png", "red.png", "blue.png")]
    model = load(TAGS)
    run = manifest_of(model.digest, names, 5, 2, part_rows=2)
    folder = PartFolder(tmp_path / "parts")
    folder.begin(run)
    for number in range(2):
        first, end = run.bounds(number)
        rows = [answer.as_row() for answer in model.predict_stream(names[first:end], top=5)]
        folder.write_part(number, first, rows, run)
    table = pyarrow.parquet.read_table(folder.place / "part-000001.parquet")
    assert table["labels"].to_pylist() == ["|".join(model.predict([names[2]])[0].labels)]
    assert merge_parts(folder.place, tmp_path / f"x{suffix}") == 3
    write_predictions(model, Inputs(names), tmp_path / f"plain{suffix}", listed=2)
    assert (tmp_path / f"x{suffix}").read_bytes() == (tmp_path / f"plain{suffix}").read_bytes()


def test_what_is_missing_is_said_and_nothing_written(folder, tmp_path):
    write(folder, 1)
    with pytest.raises(DataError, match=r"1 of 2 parts are not there yet, the first is part-000000.parquet"):
        merge_parts(folder.place, tmp_path / "x.csv")
    with pytest.raises(DataError, match=r"must be a folder that `predict --cluster` wrote"):
        merge_parts(tmp_path, tmp_path / "x.csv")
    write(folder, 0)
    with pytest.raises(OptionError, match=r"results are written as .csv, .jsonl, .parquet; got .txt"):
        merge_parts(folder.place, tmp_path / "x.txt")
    assert not list(tmp_path.glob("x*"))


def test_a_part_that_is_torn_is_not_there_wherever_it_was_torn(folder):
    write(folder, 0)
    part = folder.place / "part-000000.parquet"
    whole = part.read_bytes()
    for length in range(0, len(whole), 97):
        part.write_bytes(whole[:length])
        assert folder.state(0, RUN) is None, length


def test_a_flipped_bit_is_noticed_when_parts_are_merged(folder, tmp_path):
    write(folder, 0)
    write(folder, 1)
    part = folder.place / "part-000000.parquet"
    whole = part.read_bytes()
    place = whole.index(b"the file ends too")
    part.write_bytes(whole[:place] + b"\x00" + whole[place + 1 :])
    with pytest.raises(DataError, match=r"part-000000.parquet is damaged; remove it and run the same"):
        merge_parts(folder.place, tmp_path / "x.csv")


def test_a_part_of_another_run_is_not_taken(folder):
    write(folder, 0, dataclasses.replace(RUN, model="0" * 64))
    write(folder, 1, dataclasses.replace(RUN, part_rows=5))
    assert (folder.state(0, RUN), folder.state(1, RUN)) == (None, None)


@pytest.mark.parametrize("change", [{"model": "0" * 64}, {"names": "0" * 64}, {"top": 3}, {"part_rows": 5}])
def test_another_run_does_not_go_into_the_same_folder(change, folder):
    with pytest.raises(OutputError, match="holds the parts of another model, other inputs or another --top"):
        folder.begin(dataclasses.replace(RUN, **change))
    folder.begin(RUN)


def test_parts_without_a_manifest_and_foreign_manifests_are_left_alone(folder):
    write(folder, 0)
    (folder.place / MANIFEST).unlink()
    with pytest.raises(OutputError, match=r"holds parts without a manifest.json"):
        folder.begin(RUN)
    for content in (b"", b"{}", b"[1]", b'{"fieldguide": "parts", "version": 2}'):
        (folder.place / MANIFEST).write_bytes(content)
        with pytest.raises(DataError, match=r"its manifest.json is not one of fieldguide's parts"):
            folder.begin(RUN)


def test_the_manifest_tells_what_is_done(folder):
    folder.say(RUN, 1)
    told = json.loads((folder.place / MANIFEST).read_text())
    assert (told["inputs"], told["parts"], told["done"]) == (6, 2, 1)
    assert folder.manifest() == RUN


STEPS = ("write", "fsync", "replace")
KILLED = """
import os, sys
from pathlib import Path
step, place = sys.argv[1], Path(sys.argv[2])
from fieldguide.prediction.parts import PartFolder
import fieldguide.files as files
def end(*_): os._exit(9)
if step == "replace": Path.replace = end
if step == "fsync": os.fsync = end
if step == "write":
    import io
    real = os.fdopen
    class Torn:
        def __init__(self, file): self.file = file
        def __enter__(self): return self
        def __exit__(self, *_): pass
        def write(self, content): self.file.write(content[:99]); self.file.flush(); os._exit(9)
    os.fdopen = lambda *given: Torn(real(*given))
PartFolder(place).write_part(0, 0, ROWS, RUN)
"""


@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_ends_at_any_step_leaves_no_part(step, folder):
    rows, run = rows_of(NAMES[:4]), dataclasses.asdict(RUN)
    head = f"from fieldguide.prediction.parts import Manifest\nROWS = {rows!r}\nRUN = Manifest(**{run!r})\n"
    done = subprocess.run([sys.executable, "-c", head + KILLED, step, folder.place], check=False)
    assert done.returncode == 9
    assert folder.numbers() == set()
    write(folder, 0)
    assert folder.state(0, RUN) == PartState(4, 1)
    assert sorted(path.name for path in folder.place.iterdir()) == [MANIFEST, "part-000000.parquet"]
