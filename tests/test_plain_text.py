"""Names of strangers as text: on a terminal, in a cell, in a line of CSV."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.plain_text import cell_of, csv_line, escaped, text_of_cell


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("hat", "hat"),
        ("Käfer 猫 🦊 👨‍👩‍👧", "Käfer 猫 🦊 👨‍👩‍👧"),
        ("a, b; c", "a, b; c"),
        ('say "x"', 'say "x"'),
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1", "'＝1"),
        ("'quoted'", "''quoted'"),
        ("-1", "-1"),
        ("+1.5e-3", "+1.5e-3"),
        ("\t=1", '\'"\\t=1"'),
        ("\r=1", '\'"\\r=1"'),
        ("a\nb", '\'"a\\nb"'),
        ("bad\udcff,=cmd.jpg", '\'"bad\\udcff,=cmd.jpg"'),
        ("a;=cmd()", '\'"a\\u003b=cmd()"'),
        ("", ""),
    ],
)
def test_a_cell_computes_nothing_and_tells_exactly(text, cell):
    assert cell_of(text) == cell
    assert text_of_cell(cell) == text


@given(st.text(st.characters(codec=None) | st.sampled_from("=+-@'\";\\\t\r\n\udc80\udcff"), max_size=12))
def test_every_text_comes_back_from_its_cell(text):
    for formulas in (True, False):
        cell = cell_of(text, formulas=formulas)
        assert text_of_cell(cell) == text
        cell.encode("utf-8")
        assert not set("\n\r\0\u2028") & set(cell)
    number = cell_of(text).strip("0123456789.eE+-") == ""
    assert number or cell_of(text)[:1] not in {*"=+-@\t\r"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ä 猫.jpg", "plain ä 猫.jpg"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\u202eb", r"a\u202eb"),
        ("line\nend", r"line\nend"),
        ("odd\udcff", r"odd\xff"),
        ("\u2028", r"\u2028"),
        ("\ue000", r"\ue000"),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out(text, shown):
    assert escaped(text) == shown


def test_a_line_of_csv_quotes_text_alone():
    assert csv_line(["a,b", 'say "x"', 3, 0.1, None, False]) == b'"a,b","say ""x""",3,0.1,,false\n'
