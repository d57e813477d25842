"""How well each tag is recognised."""

from fieldguide.report.tagged.by_tag import COLUMNS, section
from fieldguide.report.tagged.gather import gather_tags
from report_made import ASKED, blocks
from tag_report_made import TAGS, tag_oracle, tagged_photos, truth_of


def test_every_tag_has_its_figures_the_weakest_first(tagged):
    (table,) = blocks(section(tagged), "table")
    rows = {row[0]: dict(zip([column.name for column in COLUMNS], row, strict=True)) for row in table.rows}
    assert set(rows) == set(TAGS)
    for expected in tagged.evaluation.per_class_rows():
        row = rows[expected["label"]]
        assert row["photos"] == expected["n"]
        assert (row["precision"], row["recall"], row["F1"]) == (
            expected["precision"],
            expected["recall"],
            expected["f1"],
        )
        assert row["AP"] == expected["ap"]["value"] and row["ECE"] == expected["ece"]
    assert [row[4] for row in table.rows] == sorted(row[4] for row in table.rows)
    assert rows["dog"]["threshold"] == 0.6 and rows["dog"]["learned from"] == 3


def test_a_tag_that_no_photo_has_comes_last(tmp_path):
    shown = truth_of(40)
    shown[:, 1] = False
    made = gather_tags(tag_oracle(shown), tagged_photos(tmp_path / "photos", shown), ASKED)
    (table,) = blocks(section(made), "table")
    assert table.rows[-1][0] == "bee"
    assert table.rows[-1][5] == "no photos here" and table.rows[-1][4] is None
