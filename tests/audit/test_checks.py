"""Every check on evidence made by hand: it finds what is planted, leaves sound data in peace, has a page."""

import re
from pathlib import Path

import pytest

from audit_evidence import BY_CODE, N
from fieldguide.audit.checks import CHECKS, CHECKS_OF_TAGS
from fieldguide.audit.checks.common import NotApplicable
from tag_evidence import OF_TAGS, TagBench

PAGES = Path(__file__).parents[2] / "src" / "fieldguide" / "audit" / "pages"
ALL = (*CHECKS, *(check for check in CHECKS_OF_TAGS if check not in CHECKS))
NO_SPLITS = {"FG006", "FG010"}


@pytest.mark.parametrize("code", BY_CODE)
def test_a_sound_data_set_is_left_in_peace(code, bench):
    result = bench.check(code)
    assert result is None or isinstance(result, NotApplicable)
    assert isinstance(result, NotApplicable) == (code in NO_SPLITS | {"FG007"})
    split = bench.split()
    split.groups = [f"shop {row}" for row in range(N)]
    assert split.check(code) is None


@pytest.mark.parametrize("code", sorted(OF_TAGS))
def test_sound_tags_are_left_in_peace(code):
    result = TagBench().check(code)
    assert result is None or isinstance(result, NotApplicable)
    assert isinstance(result, NotApplicable) == (code in NO_SPLITS | {"FG007"})


def test_codes_are_in_order_and_belong_to_one_check_each():
    codes = [check.CODE for check in ALL]
    assert codes == sorted(set(codes))
    assert all(re.fullmatch(r"FG\d{3}", code) for code in codes)
    assert {check.SEVERITY for check in ALL} == {"issue", "tip"}
    assert len({check.TITLE for check in ALL}) == len(ALL)


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.CODE)
def test_every_check_has_a_page_with_the_same_heads(check):
    text = (PAGES / f"{check.CODE}.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0] == f"# {check.CODE}: {check.TITLE}"
    assert lines[2] == f"Severity: {check.SEVERITY}"
    heads = [line for line in lines if line.startswith("## ")]
    assert heads == ["## How it is found", "## Why it matters", "## What to do"]
    for head in heads:
        assert len(text.split(head)[1].split("## ")[0].strip()) > 40


def test_no_page_is_left_over():
    assert {page.stem for page in PAGES.glob("*.md")} == {check.CODE for check in ALL}


@pytest.mark.parametrize("code", ["FG017", "FG018"])
def test_without_anything_held_out_there_is_no_judgement(code, bench):
    bench.held_out = None
    assert "hold out" in bench.check(code).reason
