"""Every kind of finding has its page in the package, in one form."""

import re

import pytest

from fieldguide.audit.checks import CHECKS
from fieldguide.audit.finding_pages import finding_page
from fieldguide.errors import OptionError


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.CODE)
def test_every_kind_has_a_page_with_the_same_heads(check):
    page = finding_page(check.CODE)
    assert page.startswith(f"# {check.CODE}: ")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE)[:3] == [
        "How it is found",
        "Why it matters",
        "What to do",
    ]
    assert f"Severity: {check.SEVERITY}" in page and "](" not in page


@pytest.mark.parametrize("code", ["FG999", "../../card", "", "FG003.md"])
def test_another_code_is_refused_and_all_are_named(code):
    with pytest.raises(OptionError, match=r"must be the code of a finding, got .*FG001 .*FG022 "):
        finding_page(code)
