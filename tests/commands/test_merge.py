"""`fieldguide merge`: one file of parts; tests/prediction/test_parts.py compares what is in it."""

import pytest

from fieldguide.prediction.parts import PartFolder, manifest_of
from writer_oracle import NAMES, Oracle

pytest.importorskip("pyarrow")


@pytest.fixture
def parts(home):
    run = manifest_of("f" * 64, NAMES, 5, 1, part_rows=10)
    folder = PartFolder(home / "parts")
    folder.begin(run)
    rows = [answer.as_row() for answer in Oracle().predict_stream(NAMES, top=5)]
    folder.write_part(0, 0, rows, run)
    return folder.place


def test_merge_writes_one_file_and_says_how_many_rows_it_has(parts, home, run):
    code, out, err = run("merge", "parts", "--out", "x.csv")
    assert (code, out) == (0, "")
    assert "x.csv: 6 rows" in err
    assert len((home / "x.csv").read_text().splitlines()) == 7


def test_merge_says_what_it_cannot_use(parts, home, run):
    assert run("merge", ".", "--out", "x.csv")[0] == 2
    code, _, err = run("merge", "parts", "--out", "x.txt")
    assert code == 2
    assert "must end in .csv or .jsonl or .parquet" in err
    (parts / "part-000000.parquet").unlink()
    code, _, err = run("merge", "parts", "--out", "x.csv")
    assert code == 2
    assert "1 of 1 parts are not there yet" in err
