"""Whether the stated probabilities of tags come true."""

import numpy as np

from fieldguide.report.tagged.calibration import section
from report_made import blocks
from tag_report_made import tag_material, with_answers


def test_all_tags_together_and_a_line_a_tag(tagged):
    together, by_tag = blocks(section(tagged), "picture")
    assert sum(row[0] for row in together.numbers.rows) == 480
    assert {row[0] for row in by_tag.numbers.rows} == {"ant", "bee", "cow", "dog"}
    assert sum(row[1] for row in by_tag.numbers.rows) == 480
    worst = int(np.argmax(tagged.evaluation.ece_by_tag))
    assert tagged.classes[worst] in by_tag.alt


def test_too_high_or_too_low_is_said(tmp_path):
    made = tag_material(tmp_path / "photos", 200)
    out = made.outcomes
    high = with_answers(made, probabilities=np.minimum(out.probabilities + 0.3, 1))
    assert "too high" in blocks(section(high), "text")[0].text
    low = with_answers(made, probabilities=np.maximum(out.probabilities - 0.3, 0))
    assert "too low" in blocks(section(low), "text")[0].text


def test_nothing_known_gives_no_section(tagged):
    assert section(with_answers(tagged, tags=np.full((120, 4), -1, np.int8))) is None
