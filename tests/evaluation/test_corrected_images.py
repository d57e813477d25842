"""How much a measurement owes to corrections."""

import numpy as np

from fieldguide.evaluation.corrected_images import CorrectedPart


def test_without_the_relabelled_ones():
    right = np.array([True, True, True, False])
    part = CorrectedPart.of(right, np.array([True, True, False, False]), dropped=3)
    answer = part.as_dict()
    assert (answer["relabelled"], answer["dropped"], answer["n_without"]) == (2, 3, 2)
    assert answer["accuracy_without"]["value"] == 0.5
    assert answer["message"].startswith(
        "2 of the photos measured were relabelled and 3 left out by corrections"
    )


def test_nothing_is_left():
    part = CorrectedPart.of(np.array([True]), np.array([True]), dropped=0)
    assert part.as_dict()["accuracy_without"] is None
