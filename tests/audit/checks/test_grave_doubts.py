"""FG020: doubts that would make a model worthless."""

import dataclasses

from audit_evidence import Bench
from fieldguide.audit.checks import grave_doubts
from fieldguide.data.plausibility.doubts import Doubt


def check(*doubts, **changes):
    evidence = Bench().evidence()
    dataset = dataclasses.replace(evidence.dataset, doubts=doubts)
    return grave_doubts.check(dataclasses.replace(evidence, dataset=dataset, **changes))


def test_grave_ones_are_taken_over_and_others_are_not():
    found = check(
        Doubt("class_like_split", "'train' is a class", grave=True),
        Doubt("column_guessed", "two columns"),
        Doubt("deep_grey", "8 bits", grave=True),
    )
    assert (found.message, found.count) == ("'train' is a class", 1)
    assert check(Doubt("column_guessed", "two columns")) is None


def test_a_class_of_which_no_image_can_be_read_is_named():
    found = check(classes=("ant", "bee", "cow", "dragonfly"))
    assert found.message == "no image of 'dragonfly' can be read, so a model would not know it"
