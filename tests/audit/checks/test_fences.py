"""What is an outlier, and what is only another kind of image."""

import numpy as np
import pytest

from audit_evidence import BY_CODE
from fieldguide.audit.checks import fences
from fieldguide.audit.checks.common import Evidence, NotApplicable


@pytest.mark.parametrize("code", ["FG011", "FG012", "FG013", "FG014", "FG015", "FG018"])
def test_a_handful_of_images_has_no_usual_range(code, bench):
    evidence = bench.evidence()
    few = Evidence(**{**vars(evidence), "dataset": evidence.dataset.take(range(fences.FEWEST - 1))})
    assert isinstance(BY_CODE[code].check(few), NotApplicable)


def test_a_second_kind_of_image_is_no_outlier():
    values = np.concatenate([np.full(80, 1.0), np.full(20, 3.0)])
    assert len(fences.outliers(values, 0.5)) == 0
    values[0] = 9.0
    assert fences.outliers(values, 0.5).tolist() == [0]


def test_a_small_difference_is_none_where_all_are_equal():
    values = np.full(50, 1.0)
    values[7] = 1.4
    assert fences.outliers(values, 0.5).tolist() == []
    assert fences.outliers(values, 0.3).tolist() == [7]
