"""Photos on disk as thumbnails: made once, shown in rows that fit the screen."""

import os
from collections.abc import Sequence

import streamlit as st

from fieldguide.app.texts import html_text
from fieldguide.data.dataset import Dataset
from fieldguide.errors import RefusedInput
from fieldguide.images.thumbnails import data_url, thumbnail

SIDE = 160
_KEPT = 5_000
_STYLE = """<style>
.fg-sheet {display: grid; grid-template-columns: repeat(auto-fill, minmax(96px, 1fr)); gap: .6rem}
.fg-sheet figure {margin: 0; min-width: 0}
.fg-sheet img {width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: .4rem;
  background: rgba(128, 128, 128, .12); display: block}
.fg-sheet p {aspect-ratio: 1; margin: 0; border-radius: .4rem; background: rgba(128, 128, 128, .12);
  display: grid; place-items: center; font-size: .8rem; text-align: center}
.fg-sheet figcaption {font-size: .72rem; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; opacity: .75}
</style>"""


def small(path: str) -> str | None:
    """A photo in small as a URL; None where it cannot be read."""
    try:
        changed = os.stat(path).st_mtime_ns  # noqa: PTH116 - a name need not be Unicode
    except OSError:
        return None
    return _small(path, changed)


def sheet(paths: Sequence[str], dataset: Dataset, captions: Sequence[str] | None = None) -> None:
    """Photos side by side, each under its name or what is said of it."""
    cells = []
    for number, path in enumerate(paths):
        words = html_text(captions[number] if captions else os.path.basename(path))  # noqa: PTH119
        title = html_text(dataset.display(path))
        picture = small(path)
        image = f'<img src="{picture}" alt="{title}" loading="lazy">' if picture else "<p>cannot be read</p>"
        cells.append(f'<figure title="{title}">{image}<figcaption>{words}</figcaption></figure>')
    st.html(f'{_STYLE}<div class="fg-sheet">{"".join(cells)}</div>')


@st.cache_data(max_entries=_KEPT, show_spinner=False)
def _small(path: str, changed: int) -> str | None:
    try:
        return data_url(thumbnail(path, SIDE))
    except RefusedInput:
        return None
