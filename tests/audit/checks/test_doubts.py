"""FG021: doubts worth a look."""

import dataclasses

from audit_evidence import Bench
from fieldguide.audit.checks import doubts
from fieldguide.data.plausibility.doubts import Doubt


def test_light_ones_are_taken_over():
    evidence = Bench().evidence()
    given = (
        Doubt("tables_beside_folders", "a table lies beside the folders"),
        Doubt("class_like_split", "'train' is a class", grave=True),
    )
    found = doubts.check(
        dataclasses.replace(evidence, dataset=dataclasses.replace(evidence.dataset, doubts=given))
    )
    assert (found.message, found.count, doubts.SEVERITY) == ("a table lies beside the folders", 1, "tip")
    assert doubts.check(evidence) is None
