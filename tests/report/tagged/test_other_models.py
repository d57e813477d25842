"""Other models of tags beside this one."""

from dataclasses import replace

from fieldguide.report.tagged.gather import gather_tags
from fieldguide.report.tagged.other_models import section
from report_made import ASKED, blocks
from tag_report_made import tag_oracle, tagged_photos, truth_of


def test_models_and_pairs_are_those_of_the_comparison(tmp_path):
    shown = truth_of(80)
    images = tagged_photos(tmp_path / "photos", shown)
    models = {"good": tag_oracle(shown), "poor": tag_oracle(shown, right=0.6, seed=1)}
    made = gather_tags(models["good"], images, replace(ASKED, models=models))
    told = section(made)
    by_name, pairs = blocks(told, "table")
    assert [row[0] for row in by_name.rows] == ["good", "poor"]
    assert by_name.rows[0][1] == made.evaluation.average_precision.mean.value
    assert pairs.rows[0][:2] == ("good", "poor") and pairs.rows[0][-1] == "yes"
    assert "good is better than poor" in blocks(told, "text")[0].text


def test_alone_it_is_not_compared(tagged):
    assert section(tagged) is None
