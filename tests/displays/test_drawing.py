import pytest
from matplotlib import pyplot as plt

from fieldguide.displays.drawing import MOST_DRAWN, axes_for, draw_counts, draw_ranges, height_for, inside
from fieldguide.metrics.intervals import Interval


def test_rows_stand_from_the_top_and_of_many_the_first_are_drawn():
    with axes_for(None) as axes:
        draw_ranges(axes, [(f"$class {n}$", Interval(0.5, 0.25, 0.75)) for n in range(60)], "accuracy")
    assert axes.get_ylim() == (MOST_DRAWN - 0.5, -0.5) and axes.get_xlabel() == "accuracy"
    assert axes.get_yticklabels()[0].get_text() == "$class 0$"
    assert height_for(1000) == height_for(MOST_DRAWN)


def test_a_plot_inside_of_html_opens_no_figure():
    before = plt.get_fignums()
    assert inside(lambda axes: draw_counts(axes, [("a", 1)], "n"), "a <plot>").startswith('<img class="plot"')
    assert plt.get_fignums() == before


@pytest.mark.parametrize("given", [True, False])
def test_axes_that_are_given_are_used(given):
    _, mine = plt.subplots()
    with axes_for(mine if given else None) as axes:
        assert (axes is mine) is given
