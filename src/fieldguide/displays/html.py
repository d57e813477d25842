"""HTML that stands alone in the cell of a notebook: escaped, light and dark, nothing fetched.

Text and lines take the notebook's own colours, so that it looks right in every theme; plots stand on white.
"""

import base64
import html
import io
from collections.abc import Iterable, Sequence

from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images.thumbnails import data_url, thumbnail
from fieldguide.plain_text import escaped


class Html(str):
    """Markup in which every name has been escaped."""

    __slots__ = ()


SIDE = 112
"""Longer side of photos, in pixels."""
MOST_ROWS = 12
# The class is named twice where Jupyter has a rule of its own for tables: text would stand right.
_STYLE = """
.fieldguide{font-family:system-ui,sans-serif;font-size:13px;line-height:1.45;max-width:1100px;color:inherit}
.fieldguide.fieldguide h4{font-size:15px;font-weight:600;margin:.2em 0 .4em}
.fieldguide p{margin:.3em 0}
.fieldguide .dim{opacity:.7}
.fieldguide.fieldguide table{border-collapse:collapse;margin:.4em 0;color:inherit;background:none}
.fieldguide.fieldguide th,.fieldguide.fieldguide td{text-align:left;padding:.15em .9em .15em 0;border:0;
border-bottom:1px solid rgba(128,128,128,.35);color:inherit;background:none;font-size:13px}
.fieldguide.fieldguide th{font-weight:600}
.fieldguide.fieldguide td.number,.fieldguide.fieldguide th.number{
text-align:right;font-variant-numeric:tabular-nums}
.fieldguide .bar{display:inline-block;width:7em;height:.6em;border-radius:.3em;
background:rgba(128,128,128,.25)}
.fieldguide .bar i{display:block;height:100%;background:#2b8cc4;border-radius:.3em}
.fieldguide .side{display:flex;flex-wrap:wrap;gap:12px;margin:.4em 0;align-items:flex-start}
.fieldguide figure{margin:0;max-width:140px;font-size:12px;overflow-wrap:anywhere}
.fieldguide figure img{display:block;border-radius:4px;max-width:100%}
.fieldguide img.blocks{image-rendering:pixelated}
.fieldguide .strip{display:flex;flex-wrap:wrap;gap:3px}
.fieldguide .strip img{border-radius:3px;margin:0}
.fieldguide img.plot{background:#fff;border-radius:4px;max-width:100%;max-height:300px}
.fieldguide .warn{border-left:3px solid #d55e00;padding-left:.6em}
""".replace("\n", "")


def text(value: object) -> Html:
    """A name or a sentence; nothing in it is obeyed.

    Examples
    --------
    >>> text("<b>cat</b>")
    '&lt;b&gt;cat&lt;/b&gt;'
    """
    return Html(html.escape(escaped(str(value))))


def whole(title: str, *parts: Html) -> str:
    """A result with its title, as ``_repr_html_`` gives it."""
    return f'<div class="fieldguide"><style>{_STYLE}</style><h4>{text(title)}</h4>{"".join(parts)}</div>'


def paragraph(sentence: str, kind: str = "") -> Html:
    """A sentence; `kind` may be `dim`, or `warn` for what must not be overlooked."""
    mark = f' class="{kind}"' if kind else ""
    return Html(f"<p{mark}>{text(sentence)}</p>")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], most: int = MOST_ROWS) -> Html:
    """Rows under their headings; numbers stand right, and what is HTML already is left as it is."""
    listed = [list(row) for row in rows]
    numeric = {
        place for place in range(len(columns)) if listed and all(_is_number(row[place]) for row in listed)
    }
    head = "".join(f"<th{_align(place in numeric)}>{text(name)}</th>" for place, name in enumerate(columns))
    body = "".join(
        f"<tr>{''.join(_cell(cell, place in numeric) for place, cell in enumerate(row))}</tr>"
        for row in listed[:most]
    )
    more = f'<p class="dim">{len(listed) - most:,} more</p>' if len(listed) > most else ""
    return Html(f"<table><tr>{head}</tr>{body}</table>{more}")


def bar(share: float) -> Html:
    """A share from 0 to 1 as a bar."""
    return Html(f'<span class="bar"><i style="width:{100 * min(max(share, 0.0), 1.0):.1f}%"></i></span>')


def side_by_side(parts: Iterable[Html]) -> Html:
    """Parts in a row, which breaks where it is too long."""
    return Html(f'<div class="side">{"".join(parts)}</div>')


def strip(pictures: Iterable[Html]) -> Html:
    """Small pictures close together."""
    return Html(f'<div class="strip">{"".join(pictures)}</div>')


def photo(path: str | None, lines: Sequence[str], side: int = SIDE) -> Html:
    """A photo in small with lines below it; one that can no longer be read leaves its lines."""
    below = "<br>".join(text(line) for line in lines)
    return Html(f"<figure>{picture_of(path, side)}<figcaption>{below}</figcaption></figure>")


def picture_of(path: str | None, side: int) -> Html:
    """The photo alone; nothing where it cannot be read."""
    try:
        small = thumbnail(path, side) if path is not None else b""
    except RefusedInput:
        small = b""
    return encoded(small, side)


def encoded(small: bytes, side: int) -> Html:
    """A small picture, encoded as :mod:`fieldguide.images.thumbnails` does; nothing of none.

    One that is smaller than `side` is shown enlarged, pixel by pixel: of 8 × 8 pixels nobody sees anything.
    """
    if not small:
        return Html("")
    with Image.open(io.BytesIO(small)) as picture:
        width, height = picture.size
    scale = side / max(width, height)
    blocks = ' class="blocks"' if scale > 1 else ""
    size = f'width="{max(1, round(width * scale))}" height="{max(1, round(height * scale))}"'
    return Html(f'<img alt=""{blocks} {size} src="{data_url(small)}">')


def svg(drawing: bytes, alt: str) -> Html:
    """A plot."""
    content = base64.b64encode(drawing).decode("ascii")
    return Html(f'<img class="plot" alt="{text(alt)}" src="data:image/svg+xml;base64,{content}">')


def _is_number(value: object) -> bool:
    plain = str(value).replace(",", "").removesuffix(" %").removesuffix(" s").removesuffix(" ms")
    return plain.replace(".", "", 1).replace("-", "", 1).isdigit()


def _align(number: bool) -> str:
    return ' class="number"' if number else ""


def _cell(cell: object, number: bool) -> str:
    shown = cell if isinstance(cell, Html) else text(cell)
    return f"<td{_align(number)}>{shown}</td>"
