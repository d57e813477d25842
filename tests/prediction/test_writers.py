"""writers.py: every input has its row, whatever happens."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import fieldguide
from fieldguide.errors import OptionError, OutputError, Refusal
from fieldguide.plain_text import text_of_cell
from fieldguide.prediction.inputs import Inputs
from fieldguide.prediction.rows import COLUMNS
from fieldguide.prediction.writers import write_predictions
from tiny_model import write_tiny_model
from writer_oracle import NAMES, Oracle


def rows_of(path):
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def test_json_lines_are_the_contracts_and_exact(tmp_path):
    out = tmp_path / "x.jsonl"
    written = write_predictions(Oracle(), Inputs(NAMES), out)
    rows = rows_of(out)
    assert [row["path"] for row in rows] == NAMES
    assert os.fsencode(rows[2]["path"]) == b"odd\xff\n,=cmd.jpg"
    assert list(rows[0])[:2] == ["path", "answer"]
    assert [row["answer"] for row in rows[:2]] == ["=evil", "refused"]
    assert rows[0] == {
        "path": "one.jpg",
        "answer": "=evil",
        "label": "=evil",
        "probability": 0.9,
        "typicality": 0.5,
        "unknown": False,
        "set": ["=evil", "b"],
        "error": None,
        "top": [{"label": "=evil", "probability": 0.9}, {"label": "b", "probability": 0.1}],
    }
    assert rows[1]["error"] == {"code": "truncated", "message": "the file ends too early"}
    assert (written.rows, written.kept, written.refused) == (6, 0, 1)
    assert written.first_refused == [Refusal("bad.jpg", "truncated", "the file ends too early")]
    assert [path.name for path in tmp_path.iterdir()] == ["x.jsonl"]


def test_csv_has_the_same_columns_flat_and_safe(tmp_path):
    out = tmp_path / "x.CSV"
    write_predictions(Oracle(), Inputs(NAMES), out)
    assert len(out.read_bytes().splitlines()) == 1 + len(NAMES)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [text_of_cell(row["path"]) for row in rows] == NAMES
    assert [row["path"] for row in rows][3:5] == ["'=x.jpg", "''a.jpg"]
    assert rows[0]["label"] == "'=evil"
    assert (rows[0]["probability"], rows[0]["unknown"], rows[0]["error"]) == ("0.9", "false", "")
    assert (rows[0]["answer"], rows[1]["answer"]) == ("'=evil", "refused")
    assert rows[0]["set"] == rows[0]["top"] == "'=evil|b"
    assert (rows[1]["label"], rows[1]["probability"], rows[1]["error"]) == ("", "", "truncated")
    assert rows[1]["message"] == "the file ends too early"
    # Numbers are not in quotes, all texts are: so a text can neither be a number nor leave its cell.
    assert out.read_text("utf-8").splitlines()[1].startswith('"one.jpg","\'=evil","\'=evil",0.9,0.5,false,"')
    write_predictions(Oracle(), Inputs(NAMES), out, listed=2)
    assert out.read_text("utf-8").splitlines()[1].endswith('"\'=evil|b","b",0.1,"\'=evil|b",,')


def test_parquet_has_the_same_columns_typed(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "x.parquet"
    write_predictions(Oracle(), Inputs(NAMES * 4000), out)
    file = parquet.ParquetFile(out)
    assert file.num_row_groups == 3
    rows = file.read().to_pylist()
    assert tuple(rows[0]) == COLUMNS
    assert [text_of_cell(row["path"]) for row in rows] == NAMES * 4000
    assert (rows[0]["label"], rows[0]["probability"], rows[0]["unknown"]) == ("=evil", 0.9, False)
    assert (rows[1]["label"], rows[1]["probability"], rows[1]["error"]) == (None, None, "truncated")


def test_progress_counts_every_row(tmp_path):
    told = []
    write_predictions(Oracle(), Inputs(NAMES), tmp_path / "x.csv", progress=lambda *say: told.append(say))
    assert told == [("predicting", done, 6) for done in range(7)]


def interrupted(out, done=3, names=NAMES, top=5):
    with pytest.raises(KeyboardInterrupt):
        write_predictions(Oracle(fail_after=done), Inputs(names), out, top=top)
    return out.with_name(out.name + ".partial")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_an_interrupted_run_goes_on_and_gives_the_same_file(suffix, tmp_path):
    whole, out = tmp_path / f"whole{suffix}", tmp_path / f"x{suffix}"
    write_predictions(Oracle(), Inputs(NAMES), whole)
    journal = interrupted(out)
    assert journal.exists()
    assert not out.exists()
    oracle = Oracle()
    written = write_predictions(oracle, Inputs(NAMES), out)
    assert oracle.asked == NAMES[3:]
    assert (written.rows, written.kept, written.refused) == (6, 3, 1)
    assert out.read_bytes() == whole.read_bytes()
    assert not journal.exists()


def test_a_torn_row_is_done_again_wherever_it_was_torn(tmp_path):
    out = tmp_path / "x.jsonl"
    whole = interrupted(out, done=2).read_bytes()
    for length in range(0, len(whole), 6):
        journal = tmp_path / "x.jsonl.partial"
        journal.write_bytes(whole[:length])
        write_predictions(Oracle(), Inputs(NAMES), out)
        assert [row["path"] for row in rows_of(out)] == NAMES


def test_a_row_of_zeros_after_a_power_cut_is_done_again(tmp_path):
    out = tmp_path / "x.jsonl"
    journal = interrupted(out)
    journal.write_bytes(journal.read_bytes() + bytes(500) + b"\n")
    write_predictions(Oracle(), Inputs(NAMES), out)
    assert [row["path"] for row in rows_of(out)] == NAMES


def test_a_row_in_which_one_bit_is_another_is_done_again(tmp_path):
    """Each bit in turn: the answer of another photo, class or number must never be kept."""
    out, journal = tmp_path / "x.jsonl", tmp_path / "x.jsonl.partial"
    write_predictions(Oracle(), Inputs(NAMES), tmp_path / "whole.jsonl")
    kept = interrupted(out).read_bytes()
    begins = kept.index(b"\n") + 1
    for place in range(begins, len(kept), 7):
        damaged = bytearray(kept)
        damaged[place] ^= 1 << place % 8
        journal.write_bytes(damaged)
        written = write_predictions(Oracle(), Inputs(NAMES), out)
        assert written.kept < 3
        assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_a_row_that_is_missing_or_moved_is_done_again(tmp_path):
    out, journal = tmp_path / "x.jsonl", tmp_path / "x.jsonl.partial"
    head, first, second, third = interrupted(out).read_bytes().splitlines(keepends=True)
    for rows, kept in (([second, third], 0), ([first, third], 1), ([first, first], 1), ([first, second], 2)):
        journal.write_bytes(head + b"".join(rows))
        names = [NAMES[0]] * 2 if rows == [first, first] else NAMES
        assert write_predictions(Oracle(), Inputs(names), out).kept == kept


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (NAMES[:2], 2),  # fewer than were done
        (["one.jpg", "new.jpg", *NAMES[1:]], 1),  # another in between
        (["new.jpg", *NAMES], 0),
        ([*NAMES, "new.jpg"], 3),
    ],
)
def test_rows_are_kept_as_long_as_inputs_are_the_same(names, kept, tmp_path):
    out = tmp_path / "x.jsonl"
    interrupted(out)
    written = write_predictions(Oracle(), Inputs(names), out)
    assert written.kept == kept
    assert [row["path"] for row in rows_of(out)] == names


@pytest.mark.parametrize("change", ["model", "top"])
def test_rows_of_another_model_or_question_are_not_kept(change, tmp_path):
    out = tmp_path / "x.jsonl"
    interrupted(out)
    oracle = Oracle()
    oracle.digest = "0" * 64 if change == "model" else oracle.digest
    written = write_predictions(oracle, Inputs(NAMES), out, top=2 if change == "top" else 5)
    assert oracle.asked == NAMES
    assert any("another model, --top or version" in note for note in written.notes)


def test_finished_results_stay_until_new_ones_are_whole(tmp_path):
    out = tmp_path / "x.jsonl"
    out.write_text("precious")
    interrupted(out)
    assert out.read_text() == "precious"
    write_predictions(Oracle(), Inputs(NAMES), out)
    assert len(rows_of(out)) == 6
    oracle = Oracle()
    write_predictions(oracle, Inputs(NAMES), out)
    assert oracle.asked == NAMES  # what is finished is a new question


def test_a_file_that_is_no_journal_is_left_alone(tmp_path):
    stranger = tmp_path / "x.csv.partial"
    stranger.write_text("my notes\n")
    with pytest.raises(
        OutputError,
        match=r"x\.csv\.partial: is not a journal that fieldguide wrote; move it away",
    ):
        write_predictions(Oracle(), Inputs(NAMES), tmp_path / "x.csv")
    assert stranger.read_text() == "my notes\n"


def test_a_link_in_the_journals_place_is_not_followed(tmp_path):
    (tmp_path / "victim").write_text("")
    (tmp_path / "x.csv.partial").symlink_to("victim")
    with pytest.raises(OutputError, match="cannot be written"):
        write_predictions(Oracle(), Inputs(NAMES), tmp_path / "x.csv")
    assert (tmp_path / "victim").read_text() == ""


def test_two_runs_into_one_file_are_not_mixed(tmp_path):
    out = tmp_path / "x.jsonl"
    stream = Oracle().predict_stream

    class Meanwhile(Oracle):
        def predict_stream(self, sources, *, top=5):
            yield from stream([next(iter(sources))])
            with pytest.raises(OutputError, match="another run is writing it"):
                write_predictions(Oracle(), Inputs(NAMES), out)
            yield from stream(sources)

    write_predictions(Meanwhile(), Inputs(NAMES), out)
    assert [row["path"] for row in rows_of(out)] == NAMES


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("x.txt", OptionError, r"written as \.csv, \.jsonl, \.parquet; got \.txt"),
        ("x", OptionError, "got no ending"),
        ("nowhere/x.csv", OutputError, "cannot be written"),
    ],
)
def test_a_place_that_will_not_do_is_said_before_work_starts(name, error, words, tmp_path):
    oracle = Oracle()
    with pytest.raises(error, match=words):
        write_predictions(oracle, Inputs(NAMES), tmp_path / name)
    assert oracle.asked == []


def test_a_full_disk_keeps_what_was_done(tmp_path):
    """RLIMIT_FSIZE stands for the disk: writes beyond it fail, in the middle of a row."""
    code = """
import resource, signal, sys
from fieldguide.errors import OutputError
from fieldguide.prediction.inputs import Inputs
from fieldguide.prediction.writers import write_predictions
from writer_oracle import NAMES, Oracle
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_predictions(Oracle(), Inputs(NAMES), sys.argv[1])
except OutputError as error:
    print(error)
"""
    out = tmp_path / "x.jsonl"
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "support")}
    here.pop("COVERAGE_PROCESS_CONFIG", None)  # what measures coverage would write to the full disk too
    done = subprocess.run(
        [sys.executable, "-c", code, out], capture_output=True, text=True, check=True, env=here
    )
    assert "make room and run the same command again" in done.stdout
    assert done.stderr == ""
    oracle = Oracle()
    write_predictions(oracle, Inputs(NAMES), out)
    assert 0 < len(oracle.asked) < 6
    assert [row["path"] for row in rows_of(out)] == NAMES


def test_kill_9_at_any_time_loses_and_repeats_nothing(tmp_path):
    """A real model, a real process, killed until the work is done; no image is looked at twice but those
    whose row was not written yet."""
    model = write_tiny_model(tmp_path / "model.onnx")
    (tmp_path / "photos").mkdir()
    for number in range(400):
        Image.new("RGB", (64, 48), (number % 256, 90, 30)).save(tmp_path / f"photos/{number:03}.png")
    code = """
import sys, time, fieldguide
from fieldguide.prediction.inputs import find_inputs
from fieldguide.prediction.writers import write_predictions
slowly = lambda stage, done, total: time.sleep(0.003)
write_predictions(fieldguide.load(sys.argv[1]), find_inputs([sys.argv[2]]), sys.argv[3], progress=slowly)
"""
    out, journal = tmp_path / "x.csv", tmp_path / "x.csv.partial"
    kills, sizes = 0, [0]
    while not out.exists():
        process = subprocess.Popen([sys.executable, "-c", code, model, tmp_path / "photos", out])
        while process.poll() is None and (
            not journal.exists() or journal.stat().st_size < sizes[-1] + 25_000
        ):
            time.sleep(0.005)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
            sizes.append(journal.stat().st_size)
        process.wait()
        assert kills < 20
    assert kills >= 2
    assert sizes == sorted(set(sizes)), "a run began anew"
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["path"]).name for row in rows] == [f"{number:03}.png" for number in range(400)]
    again = fieldguide.load(model).predict([row["path"] for row in rows])
    assert [row["label"] for row in rows] == [answer.label for answer in again]
