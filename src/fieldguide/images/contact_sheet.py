"""Photos with captions on one picture, to look through at a glance or to print."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

from fieldguide.errors import RefusedInput
from fieldguide.images.decoding import open_image
from fieldguide.plain_text import escaped

TILE = 176
"""Side of the square that a photo is fitted into, in pixels."""
GAP, LINE, LINES = 12, 15, 5
COLUMNS = 6
MOST = 300
"""Photos on one sheet: 50 rows, some 12,000 pixels high."""
PAPER, INK, GROUND = "#ffffff", "#202124", "#eeeeee"
_SIZE = 12  # of the letters, in pixels

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Caption:
    """A photo and what is written below it."""

    path: str
    lines: tuple[str, ...]
    """Each is cut where it is too long, but the last goes on in further lines, to five in all."""


def contact_sheet(photos: Sequence[Caption]) -> Image.Image:
    """Draw photos in rows of six.

    Parameters
    ----------
    photos
        At least one; the first :data:`MOST` are drawn. One that cannot be read leaves a grey square.

    Returns
    -------
    PIL.Image.Image
        RGB, without metadata; the caller writes it.
    """
    shown = photos[:MOST]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    step = (TILE + GAP, TILE + LINES * LINE + 2 * GAP)
    sheet = Image.new("RGB", (columns * step[0] + GAP, rows * step[1] + GAP), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_SIZE)
    for number, photo in enumerate(shown):
        left, top = GAP + number % columns * step[0], GAP + number // columns * step[1]
        _put(sheet, draw, photo.path, (left, top))
        for line, text in enumerate(_lines(photo.lines[:LINES], draw, font)):
            draw.text((left, top + TILE + 4 + line * LINE), text, fill=INK, font=font)
    return sheet


def _put(sheet: Image.Image, draw: ImageDraw.ImageDraw, path: str, corner: tuple[int, int]) -> None:
    left, top = corner
    try:
        photo = open_image(path)
    except RefusedInput:
        draw.rectangle((left, top, left + TILE - 1, top + TILE - 1), fill=GROUND)
        return
    photo.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
    sheet.paste(photo, (left + (TILE - photo.width) // 2, top + (TILE - photo.height) // 2))


def _lines(texts: Sequence[str], draw: ImageDraw.ImageDraw, font: Font) -> list[str]:
    """Texts as lines below a photo; letters that the font lacks are spelled out."""
    plain = [escaped(text).encode("latin-1", "backslashreplace").decode("latin-1") for text in texts]
    if not plain:
        return []
    made, words = [_fitting(text, draw, font) for text in plain[:-1]], plain[-1].split(" ")
    while words and len(made) < LINES - 1:
        fits = 1
        while fits < len(words) and draw.textlength(" ".join(words[: fits + 1]), font=font) <= TILE:
            fits += 1
        made.append(_fitting(" ".join(words[:fits]), draw, font))
        words = words[fits:]
    return [*made, _fitting(" ".join(words), draw, font)] if words else made


def _fitting(plain: str, draw: ImageDraw.ImageDraw, font: Font) -> str:
    """The text as far as it fits below its photo."""
    if draw.textlength(plain, font=font) <= TILE:
        return plain
    while plain and draw.textlength(plain + "...", font=font) > TILE:
        plain = plain[:-1]
    return plain + "..."
