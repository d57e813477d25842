"""docs/reference.md is what the docstrings say, and every public function has an example in it."""

import inspect
import runpy
from pathlib import Path

import pytest

import fieldguide

DOCS = Path(__file__).parents[1] / "docs"
FUNCTIONS = [name for name in fieldguide.__all__ if inspect.isfunction(getattr(fieldguide, name))]


@pytest.fixture(scope="module")
def maker():
    return runpy.run_path(str(DOCS / "make_reference.py"))


def test_the_page_is_up_to_date(maker):
    assert (DOCS / "reference.md").read_text(encoding="utf-8") == maker["page"]()  # docs/make_reference.py


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_an_example(maker, name):
    assert f"fieldguide.{name}(" in maker["described"](name).partition("**Examples**")[2]


def test_what_is_answered_is_a_comment(maker):
    body = '>>> f("a")   # doctest: +SKIP\n>>> 1 + 1\n2\n'
    assert maker["example"](body) == '```python\nf("a")\n1 + 1\n# 2\n```\n'
