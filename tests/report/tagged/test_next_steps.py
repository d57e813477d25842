"""What to do next with a model of tags."""

import dataclasses

import numpy as np

from fieldguide.report.tagged.next_steps import section
from report_made import blocks
from tag_report_made import tag_material, with_answers


def titles(made):
    shown = blocks(section(made), "steps")
    return [step.title for step in shown[0].steps] if shown else []


def test_suspicious_tags_and_pairs_are_named(tagged):
    assert any(title.startswith("Draw the line between") for title in titles(tagged))
    out = tagged.outcomes
    probabilities = out.probabilities.copy()
    probabilities[:5] = np.where(out.shown[:5], 0.02, 0.98)
    made = with_answers(
        tagged, probabilities=probabilities, given=probabilities >= 0.5, unknown=np.zeros(120, bool)
    )
    assert any("Look at the tags of" in title for title in titles(made))


def test_a_tag_of_few_training_photos_is_named(tmp_path):
    made = tag_material(tmp_path / "photos", 120, right=0.7)
    assert "Collect more photos with dog" in titles(made)


def test_better_than_promised_comes_first(tagged):
    card = {**tagged.card, "metrics": {"map": {"value": 0.2, "low": 0.1, "high": 0.3}}}
    assert titles(dataclasses.replace(tagged, card=card))[0].startswith("Make sure that these photos are new")


def test_a_perfect_model_has_few_steps(tmp_path):
    made = tag_material(tmp_path / "photos", 400, right=1.0, metrics={})
    assert not any("tags of" in title or "line between" in title for title in titles(made))
