"""Labels that are probably wrong, and what is suggested for them."""

import numpy as np

from audit_evidence import BY_CODE, N, actions_of, rows_of


def test_fg017_suggests_the_likely_class_or_leaving_out(bench):
    evidence = bench.evidence()
    evidence.held_out.probabilities[0] = (0.01, 0.95, 0.04)
    evidence.held_out.probabilities[1] = (0.45, 0.08, 0.47)
    evidence.held_out.probabilities[3] = (0.05, 0.02, 0.93)
    found = BY_CODE["FG017"].check(evidence)
    assert actions_of(found) >= {(0, "relabel", "bee"), (3, "relabel", "cow")}
    assert rows_of(found) <= {0, 1, 3}
    assert found.items[0].paths == ("ant/00.jpg",)


def test_fg017_leaves_out_what_is_like_none_of_the_classes(bench):
    evidence = bench.evidence()
    evidence.held_out.probabilities[0] = (0.01, 0.95, 0.04)
    evidence.held_out.distances[0] = 10.0
    found = BY_CODE["FG017"].check(evidence)
    assert (0, "drop", "") in actions_of(found)
    assert "unlike both" in found.items[0].note


def test_fg017_leaves_out_what_is_neither(bench):
    evidence = bench.evidence()
    answers = evidence.held_out
    answers.probabilities[:, :] = 0.3
    answers.probabilities[np.arange(N), answers.labels] = 0.4
    answers.probabilities[5] = (0.48, 0.47, 0.05)
    assert actions_of(BY_CODE["FG017"].check(evidence)) == {(5, "drop", "")}
