"""What to do next: ranked by gain, drawn from the numbers."""

from dataclasses import replace

import numpy as np
import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.evaluation.result import with_foreign
from fieldguide.report.next_steps import ideas_of
from report_made import CLASSES, blocks, material, photos, sections


def test_steps_are_ranked_by_gain_and_drawn_from_the_numbers(tmp_path):
    learned = {"images": 130, "per_class": {"ant": 5, **dict.fromkeys(CLASSES[1:], 25)}}
    made = material(tmp_path / "photos", each=20, right=0.7, data=learned)
    ideas = list(ideas_of(made))
    confusion = made.evaluation.confusion
    pair = next(idea for idea in ideas if idea.step.title.startswith("Draw the line"))
    both = np.triu(confusion + confusion.T, 1).max()
    assert pair.gain == both / made.evaluation.n
    labels = [idea for idea in ideas if "suspicious" in idea.step.title]
    sure = (~made.right & (made.outcomes.confidence >= 0.9) & ~made.outcomes.unknown).sum()
    assert [idea.gain for idea in labels] == ([sure / made.evaluation.n] if sure else [])
    shown = blocks(sections(made)["next"], "steps")[0].steps
    gains = [float(step.gain.split("+")[1].split()[0]) for step in shown if step.gain]
    assert gains == sorted(gains, reverse=True)


def test_photos_that_were_learned_from_are_suspected_first(tmp_path):
    promised = {"accuracy": {"value": 0.8, "low": 0.75, "high": 0.85}}
    made = material(tmp_path / "photos", each=20, right=0.99, metrics=promised)
    page = sections(made)
    assert "those that the model learned from" in blocks(page["headline"], "notice")[0].text
    assert "new to the model" in blocks(page["next"], "steps")[0].steps[0].title


@pytest.mark.parametrize(
    ("typicality", "told"), [(0.02, "look less familiar"), (0.5, "nearly as familiar"), (0.001, None)]
)
def test_foreign_photos_that_pass_as_known_are_a_step(tmp_path, typicality, told):
    strange = photos(tmp_path / "strange", [f"{number}.png" for number in range(30)])
    foreign = Dataset(tmp_path, tuple(strange), ("",) * 30)
    made = material(tmp_path / "photos", foreign=foreign)
    odd = made.foreign._replace(typicality=np.full(30, typicality), unknown=np.full(30, typicality < 0.01))
    evaluation = with_foreign(replace(made.evaluation, foreign=None), made.outcomes, odd, ())
    steps = [idea.step for idea in ideas_of(replace(made, evaluation=evaluation, foreign=odd))]
    found = [step.why for step in steps if step.title == "Photos of other things pass as known"]
    assert [told in why for why in found] == ([True] if told else [])


def test_the_step_to_mend_the_data_names_the_data_that_were_checked(measured):
    finding = {"title": "t", "severity": "issue", "count": 4, "message": "m", "paths": []}
    commands = [
        [idea.step.command for idea in ideas_of(replace(measured, findings={**named, "findings": [finding]}))]
        for named in ({}, {"data": "my photos; x"})
    ]
    assert "fieldguide check photos --fix corrections.csv" in commands[0]
    assert "fieldguide check 'my photos; x' --fix corrections.csv" in commands[1]
