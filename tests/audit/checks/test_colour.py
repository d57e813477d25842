"""Grey among coloured, coloured among grey."""

from audit_evidence import rows_of
from fieldguide.data.image_facts import FACTS


def test_fg015_finds_colour_among_grey(bench):
    bench.facts[:, FACTS.index("colour")] = 0.0
    bench.set_fact(5, colour=0.3)
    assert rows_of(bench.check("FG015")) == {5}
    bench.facts[::2, FACTS.index("colour")] = 0.3
    assert bench.check("FG015") is None


def test_fg015_finds_grey_among_coloured_but_no_blank_image(bench):
    bench.vary()
    bench.set_fact(17, colour=0.0)
    bench.set_fact(18, colour=0.0, contrast=0.0)
    found = bench.check("FG015")
    assert rows_of(found) == {17}
    assert found.message == "1 image without colour among coloured ones"
