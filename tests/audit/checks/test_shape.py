"""Images much wider or taller than the others."""

import pytest

from audit_evidence import rows_of


@pytest.mark.parametrize("odd", [{"width": 1200, "height": 100}, {"width": 100, "height": 400}])
def test_fg012_finds_the_one_that_is_odd(odd, bench):
    bench.vary()
    assert bench.check("FG012") is None
    bench.set_fact(17, **odd)
    assert rows_of(bench.check("FG012")) == {17}


def test_fg012_says_the_pixels_and_the_usual_ratio(bench):
    bench.set_fact(17, width=1200, height=100)
    found = bench.check("FG012")
    assert found.items[0].note == "1200 x 100 pixels"
    assert "width about 1.33 times the height" in found.message


def test_fg012_does_not_look_at_the_size(bench):
    bench.set_fact(17, width=4000, height=3000)
    assert bench.check("FG012") is None
