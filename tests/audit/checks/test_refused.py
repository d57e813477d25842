"""Files that cannot be used are named with their code."""

from fieldguide.errors import Refusal


def test_fg001_names_what_was_refused_with_its_code(bench):
    bench.refused = (Refusal("ant/x.jpg", "truncated", "it ends early"), Refusal("b", "empty", "no bytes"))
    found = bench.check("FG001")
    assert [item.paths for item in found.items] == [("ant/x.jpg",), ("b",)]
    assert "1 truncated, 1 empty" in found.message
