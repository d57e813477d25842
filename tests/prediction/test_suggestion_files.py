import csv

import pytest
from PIL import Image

from fieldguide.errors import OutputError
from fieldguide.prediction.active_learning import Suggestions
from fieldguide.prediction.suggestion import Suggestion
from fieldguide.prediction.suggestion_files import draw_sheet, keep_what_was_filled_in, write_table


def found(*paths):
    photos = [Suggestion(str(path), "cat", 0.5, "dog", 0.1, 0.3, "unsure") for path in paths]
    return Suggestions(tuple(photos), len(photos), ())


def test_the_table_is_to_be_filled_in_and_then_kept(tmp_path):
    out = tmp_path / "next.csv"
    assert write_table(found(tmp_path / "a.jpg"), out) is None
    with out.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["path"], row["suggested"], row["label"]) == ("a.jpg", "cat", "")
    keep_what_was_filled_in(out)
    out.write_text(out.read_text().replace('"cat",""', '"cat","cat"'))
    with pytest.raises(OutputError, match="holds 1 labels that were filled in"):
        keep_what_was_filled_in(out)
    kept = write_table(found(tmp_path / "b.jpg"), out)
    assert '"cat","cat"' in kept.read_text()


def test_another_file_is_not_written_over(tmp_path):
    out = tmp_path / "next.csv"
    out.write_text("nothing of ours")
    with pytest.raises(OutputError, match="is another file"):
        keep_what_was_filled_in(out)


def test_photos_out_of_an_archive_are_drawn_from_where_they_lie(tmp_path):
    Image.new("RGB", (20, 20), "red").save(tmp_path / "a.png")
    draw_sheet(found("photos.zip/a.png"), {"photos.zip/a.png": str(tmp_path / "a.png")}, tmp_path / "s.png")
    with Image.open(tmp_path / "s.png") as sheet:
        assert (255, 0, 0) in sheet.convert("RGB").get_flattened_data()
