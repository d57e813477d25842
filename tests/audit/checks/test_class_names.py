"""Class names that differ only by case or form."""

import pytest

from audit_evidence import actions_of


@pytest.mark.parametrize("twin", ["Ant", "ANT ", "a n-t", "ａnt"], ids=["case", "space", "hyphen", "wide"])
def test_fg019_names_class_names_that_look_alike(twin, bench):
    bench.labels[0] = twin
    found = bench.check("FG019")
    assert found.count == 2
    assert ascii(twin) in found.message
    assert actions_of(found) == {(0, "relabel", "ant")}


def test_fg019_sees_unicode_forms(bench):
    bench.labels[0], bench.labels[3] = "caf\u00e9", "cafe\u0301"
    assert bench.check("FG019").count == 2
