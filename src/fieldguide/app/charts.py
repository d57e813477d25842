"""Charts as plain Vega-Lite: the library that usually writes it takes longer to load than all pages do."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

COLOURS = ("#1d6b4f", "#d9822b")
"""Of lines; seen apart by people who see no red or green."""
PALE = "#f1f5f0"
"""Of a cell without photos."""


def lines(
    courses: Mapping[str, Sequence[tuple[float, float]]], x: str, y: str, *, alt: str, whole: bool = False
) -> None:
    """Lines over a common axis.

    Parameters
    ----------
    courses
        Name → points, x and y.
    x, y
        Titles of the axes.
    alt
        What a screen reader says.
    whole
        Whether x counts something, so that there is nothing between whole numbers.
    """
    rows = [{"x": a, "y": b, "line": name} for name, points in courses.items() for a, b in points]
    ticks = {"tickMinStep": 1, "format": "d"} if whole else {}
    colour = {
        "field": "line", "type": "nominal", "sort": None, "title": None, "scale": {"range": COLOURS},
        "legend": {"orient": "top"} if len(courses) > 1 else None,
    }  # fmt: skip
    spec = {
        "data": {"values": rows},
        "mark": {"type": "line", "point": whole, "tooltip": True},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "title": x, "axis": ticks},
            "y": {"field": "y", "type": "quantitative", "title": y, "scale": {"zero": False}},
            "color": colour,
        },
        "height": 240,
    }
    st.vega_lite_chart(spec, width="stretch", alt=alt)


def matrix(counts: Mapping[tuple[int, int], int], names: Mapping[int, str], *, key: str) -> Any:
    """A confusion matrix whose cells can be clicked.

    Parameters
    ----------
    counts
        (true class, predicted class) → photos.
    names
        Of the classes, in the order shown.
    key
        Names the chart.

    Returns
    -------
    tuple of (int, int) or None
        The cell that was clicked.
    """
    rows = [
        {"row": t, "column": p, "shows": names[t], "taken for": names[p], "photos": count}
        for (t, p), count in counts.items()
    ]
    spec = _matrix_spec(rows, list(names.values()), max(counts.values(), default=1) or 1)
    words = "Confusion matrix; its mistakes are listed below"
    event: Any = st.vega_lite_chart(spec, width="stretch", on_select="rerun", key=key, alt=words)
    picked = (event.get("selection") or {}).get("cell") or []
    return (int(picked[0]["row"]), int(picked[0]["column"])) if picked else None


def _matrix_spec(rows: list[dict[str, Any]], order: list[str], most: int) -> dict[str, Any]:
    shown = {"labelLimit": 130, "labelOverlap": False}
    squares = {
        "mark": {"type": "rect", "stroke": "#fff", "cursor": "pointer"},
        "params": [
            {
                "name": "cell",
                "select": {"type": "point", "fields": ["row", "column"], "on": "click", "clear": "dblclick"},
            }
        ],
        "encoding": {
            "color": {
                "field": "photos", "type": "quantitative", "legend": None,
                "scale": {"range": [PALE, COLOURS[0]], "domain": [0, most]},
            },
            "tooltip": [{"field": name} for name in ("shows", "taken for", "photos")],
        },
    }  # fmt: skip
    numbers = {
        "mark": {"type": "text", "fontSize": 11},
        "encoding": {
            "text": {"condition": {"test": "datum.photos > 0", "field": "photos"}, "value": ""},
            "color": {"condition": {"test": f"datum.photos > {most / 2}", "value": "#fff"}, "value": "#333"},
        },
    }
    return {
        "data": {"values": rows},
        "encoding": {
            "x": {
                "field": "taken for", "type": "nominal", "sort": order, "title": "taken for",
                "axis": shown | {"labelAngle": -40},
            },
            "y": {"field": "shows", "type": "nominal", "sort": order, "title": "shows", "axis": shown},
        },
        "layer": [squares, numbers],
        "height": max(220, 26 * len(order) + 60),
    }  # fmt: skip
