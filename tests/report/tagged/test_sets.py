"""How many tags photos are given, and whether sets hold the true ones."""

import dataclasses

from fieldguide.report.tagged.sets import section
from report_made import blocks


def test_numbers_are_those_of_the_answers(tagged):
    counts, sets = blocks(section(tagged), "picture")
    out = tagged.outcomes
    assert sum(row[1] for row in counts.numbers.rows) == sum(row[2] for row in counts.numbers.rows) == 120
    assert counts.numbers.rows[0][1] == int((~out.shown.any(1)).sum())
    assert sum(row[1] for row in sets.numbers.rows) == int(out.shown.any(1).sum())
    whole = (out.members | ~out.shown).all(1) & out.shown.any(1)
    assert sum(row[2] for row in sets.numbers.rows) == int(whole.sum())
    assert "95" in blocks(section(tagged), "text")[0].text


def test_a_model_without_sets_shows_none(tagged):
    thresholds = {**tagged.card["thresholds"], "set": None}
    made = dataclasses.replace(tagged, card={**tagged.card, "thresholds": thresholds})
    assert [block.name for block in blocks(section(made), "picture")] == ["tags-a-photo"]
