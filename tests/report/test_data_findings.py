"""What check found, and the photos that could not be read."""

from dataclasses import replace

import pytest

from fieldguide.report import data_findings
from fieldguide.report.data_findings import findings_of
from report_made import blocks
from report_oracle import REFUSED

FINDING = {
    "code": "FG003",
    "title": "t",
    "severity": "issue",
    "count": 4,
    "message": "m",
    "paths": list("abcd"),
}


@pytest.mark.parametrize("answer", [None, {}, {"findings": None}, {"findings": "FG003"}])
def test_what_holds_no_findings_has_none(answer):
    assert findings_of(answer) == []


@pytest.mark.parametrize("key", ["title", "severity", "count", "message", "paths"])
def test_a_finding_that_lacks_something_is_left_out(key):
    broken = {name: value for name, value in FINDING.items() if name != key}
    assert findings_of({"findings": [broken, 3, FINDING, {**FINDING, key: None}]}) == [FINDING]


def test_a_finding_is_a_row_with_its_first_files(measured):
    section = data_findings.section(replace(measured, findings={"findings": [FINDING]}))
    assert blocks(section, "table")[0].rows == (("FG003", "t", "issue", 4, "m", "a, b, c"),)


def test_without_a_check_the_commands_are_named(measured):
    (notice,) = data_findings.section(measured).blocks
    check, again = notice.command.splitlines()
    assert check == "fieldguide check photos --json check.json"
    assert again.startswith("fieldguide evaluate model.onnx photos --findings check.json")


def test_sound_data_and_refused_photos_are_told(measured):
    evaluation = replace(measured.evaluation, refused=(REFUSED,))
    section = data_findings.section(replace(measured, findings={"findings": []}, evaluation=evaluation))
    assert blocks(section, "text")[0].text == "fieldguide check found nothing wrong."
    (table,) = blocks(section, "table")
    assert table.rows == (("x", "the file ends too early", "truncated"),)
    assert table.caption == "1 file could not be read and was left out"
