"""A plot for tests of pages and figures."""

from fieldguide.report import figures


def plot(name="$x$"):
    with figures.style():
        figure, axes = figures.axes()
        axes.plot([0, 1], [0, 1])
        axes.set_title(name)
    return figures.Plot(figure)
