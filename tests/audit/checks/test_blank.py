"""Images of one even tone."""

import pytest

from audit_evidence import actions_of, rows_of


@pytest.mark.parametrize(("contrast", "rows"), [(0.0, {17}), (1.9, {17}), (2.1, set())])
def test_fg016_finds_what_has_no_contrast(contrast, rows, bench):
    bench.set_fact(17, contrast=contrast)
    found = bench.check("FG016")
    assert (rows_of(found) if found else set()) == rows


def test_fg016_drops_them_also_among_few_images_and_says_how_many(bench):
    bench.set_fact(3, contrast=0.0)
    bench.set_fact(9, contrast=0.5)
    found = bench.check("FG016")
    assert actions_of(found) == {(3, "drop", ""), (9, "drop", "")}
    assert found.message == "2 images of one even tone, with nothing to see"
