"""Pieces that several pages show: bars, a verdict, a strip of photos."""

import html
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from fieldguide.app.texts import html_text, percent, plain, sentence
from fieldguide.prediction.result import Prediction

STYLE = """<style>
.fg-bars {display: grid; grid-template-columns: minmax(4rem, max-content) 1fr max-content; gap: .3rem .7rem;
  align-items: center; font-size: .95rem}
.fg-bars span {overflow-wrap: anywhere; max-width: 16rem}
.fg-bars i {display: block; height: .7rem; border-radius: .35rem; background: #1d6b4f; min-width: 2px}
.fg-bars b {height: .7rem; border-radius: .35rem; background: rgba(128, 128, 128, .18); display: block}
.fg-bars em {font-style: normal; text-align: right; font-variant-numeric: tabular-nums}
.fg-bars .no {background: #8a8f8c}
.fg-verdict {font-size: 2rem; font-weight: 600; line-height: 1.2; overflow-wrap: anywhere}
.fg-verdict small {font-size: 1.1rem; font-weight: 400; opacity: .75; white-space: nowrap}
</style>"""
"""Of the pieces below."""


def doubts(found: Iterable[Mapping[str, Any]]) -> None:
    """What of the data may be meant otherwise, each as a box; the grave ones first and in red."""
    for doubt in sorted(found, key=lambda doubt: not doubt["grave"]):
        box = st.error if doubt["grave"] else st.warning
        box(sentence(plain(str(doubt["message"]), 600)), icon=":material/help:")


def verdict(answer: Prediction) -> None:
    """The answer in one line: the label and how sure, or plainly that it is unknown."""
    if answer.unknown:
        line = "Unknown <small>none of this model's classes</small>"
    else:
        line = f"{html_text(answer.label or '')} <small>{percent(answer.probability or 0.0)} sure</small>"
    st.html(f'{STYLE}<div class="fg-verdict" role="status">{line}</div>')


def bars(
    shares: Sequence[tuple[str, float]], *, muted: bool = False, marked: Container[str] | None = None
) -> None:
    """Names with shares from 0 to 1, as bars that a screen reader reads as a list of names and numbers.

    Parameters
    ----------
    shares
        Names and shares.
    muted
        Whether all bars are grey.
    marked
        Names whose bars are not; None marks all.
    """
    grey = {name: muted or (marked is not None and name not in marked) for name, _ in shares}
    rows = "".join(
        f'<span>{html_text(name)}</span><b><i class="{"no" if grey[name] else ""}" '
        f'style="width: {100 * share:.1f}%"></i></b><em>{html.escape(percent(share))}</em>'
        for name, share in shares
    )
    st.html(f'{STYLE}<div class="fg-bars">{rows}</div>')


def counts(numbers: Sequence[tuple[str, int]]) -> None:
    """Names with whole numbers, as bars against the largest."""
    most = max((number for _, number in numbers), default=1) or 1
    rows = "".join(
        f'<span>{html_text(name)}</span><b><i style="width: {100 * number / most:.1f}%"></i></b>'
        f"<em>{number:,}</em>"
        for name, number in numbers
    )
    st.html(f'{STYLE}<div class="fg-bars">{rows}</div>')
