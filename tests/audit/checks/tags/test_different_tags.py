"""The same photo with different tags."""

from audit_evidence import rows_of


def test_the_same_file_and_nearly_the_same_photo(bench):
    bench.copy(1, of=0)
    bench.resemble(4, of=6)
    found = bench.check("FG025")
    assert rows_of(found) == {0, 1, 4, 6}
    assert "1 the same file, 1 nearly the same photo" in found.message
    assert "with and without 'ant'" in found.items[0].note


def test_the_same_tags_are_right(bench):
    bench.copy(8, of=0)
    bench.resemble(13, of=5)
    assert bench.check("FG025") is None


def test_what_is_not_known_differs_from_nothing(bench):
    bench.copy(1, of=0)
    bench.not_known[0] = ["ant"]
    assert bench.check("FG025") is None
