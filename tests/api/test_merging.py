"""merging.py: the function of `fieldguide merge`."""

import pytest

import fieldguide
from fieldguide.errors import DataError
from fieldguide.prediction.parts import PartFolder, manifest_of
from writer_oracle import NAMES, Oracle

pytest.importorskip("pyarrow")


def test_merge_gives_the_number_of_rows_and_tells_its_progress(tmp_path):
    run = manifest_of("f" * 64, NAMES, 5, 1, part_rows=4)
    folder = PartFolder(tmp_path / "parts")
    folder.begin(run)
    rows = [answer.as_row() for answer in Oracle().predict_stream(NAMES, top=5)]
    folder.write_part(0, 0, rows[:4], run)
    with pytest.raises(DataError, match="1 of 2 parts are not there yet"):
        fieldguide.merge(folder.place, out=tmp_path / "x.jsonl")
    folder.write_part(1, 4, rows[4:], run)
    told = []
    done = fieldguide.merge(
        str(folder.place), out=str(tmp_path / "x.jsonl"), progress=lambda *said: told.append(said)
    )
    assert done == 6
    assert told[-1] == ("merging", 6, 6)
