"""Images much less sharp than the others."""

from audit_evidence import rows_of


def test_fg014_does_not_call_sharp_or_blank_images_blurred(bench):
    bench.set_fact(3, sharpness=5.0)
    bench.set_fact(4, sharpness=0.0, contrast=0.0)
    assert bench.check("FG014") is None


def test_fg014_finds_what_is_much_less_sharp(bench):
    bench.vary()
    assert bench.check("FG014") is None
    bench.set_fact(17, sharpness=0.02)
    found = bench.check("FG014")
    assert rows_of(found) == {17}
    assert found.items[0].note.endswith("times less sharp than usual")


def test_fg014_asks_for_two_and_a_half_times_less(bench):
    bench.set_fact(17, sharpness=0.2 / 2.4)
    assert bench.check("FG014") is None
    bench.set_fact(17, sharpness=0.2 / 2.6)
    assert rows_of(bench.check("FG014")) == {17}
