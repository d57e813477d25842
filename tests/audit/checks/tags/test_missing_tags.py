"""Tags that photos probably lack."""

import pytest

from audit_evidence import rows_of
from fieldguide.audit.checks.common import NotApplicable


def test_a_forgotten_tag_is_named(bench):
    bench.tags[7] = ["bee", "cow"]
    bench.chances[7, "ant"] = 0.97
    found = bench.check("FG026")
    assert rows_of(found) == {7}
    assert found.items[0].note == "'ant' is likely (0.97) and missing"
    assert bench.check("FG027") is None


def test_what_is_not_known_is_not_missing(bench):
    bench.tags[7], bench.not_known[7] = ["bee", "cow"], ["ant"]
    bench.chances[7, "ant"] = 0.97
    assert bench.check("FG026") is None


@pytest.mark.parametrize("code", ["FG026", "FG027"])
def test_without_answers_it_is_not_applicable(bench, code, monkeypatch):
    monkeypatch.setattr(bench, "tag_answers", lambda tags: None)
    assert isinstance(bench.check(code), NotApplicable)


def test_what_would_mend_it_is_a_line_a_tag(bench):
    bench.tags[7] = ["cow"]
    bench.chances[7, "ant"], bench.chances[7, "bee"] = 0.97, 0.98
    fixes = [fix for item in bench.check("FG026").items for fix in item.fixes]
    lines = {(fix.label, fix.corrected, fix.action) for fix in fixes}
    assert lines == {("", "ant", "add"), ("", "bee", "add")}
