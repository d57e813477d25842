"""The headline says no more than the numbers do."""

from dataclasses import replace

import pytest

from fieldguide.evaluation.result import LeakedPart
from fieldguide.metrics.intervals import share
from report_made import blocks, material, sections


def test_a_perfect_model_is_not_called_perfect(tmp_path):
    made = material(tmp_path / "photos", each=5, right=1.1)
    words = blocks(sections(made)["headline"], "text")[0].text
    assert words.startswith("All 30 photos were recognised.") and "as low as" in words
    assert "There are none" in blocks(sections(made)["mistakes"], "text")[0].text


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        (share(8, 10), "Leak: 2 of 12. Without them, on 10 photos, accuracy is 80.0"),
        (None, "Leak: 2 of 12. No photo is left that training has not seen."),
    ],
)
def test_the_headline_says_what_training_has_seen(measured, without, expected):
    leaks = LeakedPart("leak: 2 of 12", {}, ("a", "b"), 10, without)
    made = replace(measured, evaluation=replace(measured.evaluation, leaks=leaks))
    notices = [block.text for block in blocks(sections(made)["headline"], "notice")]
    assert notices[0].replace("\N{NO-BREAK SPACE}", " ").startswith(expected)
    assert not [
        text for text in map(str, blocks(sections(measured)["headline"], "notice")) if "leak" in text.lower()
    ]
