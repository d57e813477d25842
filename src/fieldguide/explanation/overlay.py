"""Draws explanations with Pillow alone: a map over its photo, and a picture that says how to read it.

The scale runs from blue (against the class) over white to orange (for it), through colours that are evenly
spaced in Oklab (Ottosson, "A perceptual color space for image processing", 2020) and that colour-blind eyes
tell apart. Photos are drawn in light grey below it, so that every colour seen is the map's.
"""

import functools
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fieldguide.explanation.explainer import Box, Explanation
from fieldguide.explanation.nearest_images import Neighbour
from fieldguide.plain_text import escaped

SHADES = 511
"""Colours of the scale, an odd number: white is in the middle."""
AGAINST, FOR = 255.0, 45.0
"""Hues of the two ends in Oklab, in degrees: blue and orange."""
LIGHTEST, DARKEST, STRONGEST = 0.98, 0.56, 0.15
"""Lightness of the middle and of the ends, and the ends' chroma."""
GREY_FROM = 0.5
"""Brightness of a photo's black below a map; a dark photo would swallow the colours."""
SOFT = 32
"""Maps are drawn softened over this part of the photo's side: cells are squares, what they saw is not."""

PANEL, MARGIN, GAP, TEXT, NEIGHBOUR = 340, 20, 14, 16, 160
"""Widths in pixels, and the height of letters."""
INK, PALE = (25, 25, 25), (95, 95, 95)
SYSTEM_FONTS = (
    *("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "segoeui.ttf"),
    *("NotoSansCJK-Regular.ttc", "Arial Unicode.ttf", "PingFang.ttc", "msyh.ttc"),
)
"""Fonts of Linux, macOS and Windows, those for most writings first."""
Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

FloatArray = NDArray[np.float64]


@functools.cache
def colours() -> NDArray[np.uint8]:
    """The scale, of shape (SHADES, 3), from strongest against to strongest for."""
    place = np.linspace(-1, 1, SHADES)
    hue = np.deg2rad(np.where(place > 0, FOR, AGAINST))
    chroma, light = STRONGEST * np.abs(place), LIGHTEST - (LIGHTEST - DARKEST) * np.abs(place)
    across, along = chroma * np.cos(hue), chroma * np.sin(hue)
    long = (light + 0.3963377774 * across + 0.2158037573 * along) ** 3
    medium = (light - 0.1055613458 * across - 0.0638541728 * along) ** 3
    short = (light - 0.0894841775 * across - 1.2914855480 * along) ** 3
    linear = np.stack(
        [
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        ],
        axis=1,
    ).clip(0, 1)
    shown = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray((255 * shown).round(), dtype=np.uint8)


def density(heat: NDArray[np.float32]) -> FloatArray:
    """A map as it is drawn: softened, and as what a hundredth of the area would hold.

    Parameters
    ----------
    heat
        Of shape (height, width), as :attr:`fieldguide.explanation.explainer.Explanation.map`.
    """
    scaled = heat.astype(np.float64) * heat.size / 100
    for axis in (0, 1):
        scaled = _softened(scaled, axis)
    return scaled


def overlay(
    photo: Image.Image, heat: NDArray[np.float32], area: Box, limit: float | None = None
) -> Image.Image:
    """Draw a map over its photo.

    Parameters
    ----------
    photo
        Upright, RGB; the overlay has its size, so shrink it first where a small picture is wanted.
    heat
        Of shape (height, width).
    area
        The part of the photo that the map lies on, in its pixels.
    limit
        The density that gets the strongest colour, more than 0; None takes the largest of this map.
    """
    shown = density(heat)
    limit = limit or float(np.abs(shown).max()) or 1.0
    left, top, right, bottom = area
    fitted = Image.fromarray(shown.astype(np.float32)).resize(
        (max(1, right - left), max(1, bottom - top)), Image.Resampling.BICUBIC
    )
    strength = np.zeros((photo.height, photo.width))
    strength[top : top + fitted.height, left : left + fitted.width] = np.asarray(fitted)[
        : photo.height - top, : photo.width - left
    ]
    shade = ((strength / limit).clip(-1, 1) + 1) / 2 * (SHADES - 1)
    grey = GREY_FROM + (1 - GREY_FROM) * np.asarray(photo.convert("L"), dtype=np.float64) / 255
    mixed = colours()[shade.round().astype(np.int64)] * grey[:, :, None]
    return Image.fromarray(mixed.round().astype(np.uint8))


def picture(
    photo: Image.Image,
    explanations: Sequence[Explanation],
    neighbours: Sequence[tuple[Neighbour, Image.Image]] = (),
) -> Image.Image:
    """Draw a photo, the maps of one or two classes side by side on one scale, and how to read them.

    Parameters
    ----------
    photo
        Upright, RGB.
    explanations
        Of this photo, at least one.
    neighbours
        The training images nearest to it, with the images themselves.
    """
    limit = max(float(np.abs(density(one.map)).max()) for one in explanations) or 1.0
    small = _shrunk(photo, PANEL)
    panels = [(small, _about(explanations[0]))]
    for one in explanations:
        area = _scaled(one.area, small.width / photo.width, small.height / photo.height)
        panels.append((overlay(small, one.map, area, limit), _figures(one)))
    width = 2 * MARGIN + len(panels) * PANEL + (len(panels) - 1) * GAP
    rows = [_row(panels, PANEL, width), _key(explanations[0], limit, width)]
    if neighbours:
        shown = [(_shrunk(image, NEIGHBOUR), _nearest(near)) for near, image in neighbours]
        rows += [
            _paragraph("Most alike among the training images:", width),
            _row(shown, NEIGHBOUR, width),
        ]
    whole = Image.new("RGB", (width, sum(row.height for row in rows) + 2 * MARGIN), "white")
    top = MARGIN
    for row in rows:
        whole.paste(row, (0, top))
        top += row.height
    return whole


def _about(one: Explanation) -> list[str]:
    lines = [f"answer: {one.answer}"]
    if one.unknown:
        lines = ["answer: unknown", f"nearest class: {one.predicted}"]
    return [*lines, f"typicality {one.typicality:.3f}"]


def _figures(one: Explanation) -> list[str]:
    return [one.label, f"probability {one.probability:.3f}, score {one.score:.2f}"]


def _nearest(near: Neighbour) -> list[str]:
    return [near.label or "(no label)", f"similarity {near.similarity:.2f}"]


def _decided(one: Explanation) -> str:
    if one.labels is None:
        return "The class with the highest score is the answer."
    return "Each tag is given from a score of its own on."


def sentence(one: Explanation) -> str:
    """How to read the map of an explanation, and whether it is exact."""
    if one.exact:
        return (
            "Exact. Orange places speak for the class named below the map, blue places against it; grey ones "
            f"say nothing. All places added up, and {one.bias:+.2f} that is the same for every photo, make "
            f"the score of {one.label}. {_decided(one)}"
        )
    return (
        "Approximation. Without an orange place the class named below the map would have a lower score, "
        "without a blue one a higher one, each covered by itself; grey ones hardly matter. The map does not "
        "add up to the score."
    )


def _key(one: Explanation, limit: float, width: int) -> Image.Image:
    """The colour scale with its ends named, and the sentence."""
    unit = "score per hundredth of the photo" if one.exact else "score lost while the place is covered"
    far = limit if one.exact else limit * 100 / one.map.size
    text = _paragraph(sentence(one), width)
    key = Image.new("RGB", (width, TEXT * 5 + text.height), "white")
    draw = ImageDraw.Draw(key)
    bar = Image.fromarray(colours()[None]).resize((PANEL, TEXT))
    left, font = (width - PANEL) // 2, _plain(TEXT - 2)
    key.paste(bar, (left, TEXT // 2))
    draw.text((left - 8, TEXT), f"against  {-far:.2g}", INK, font, anchor="rm")
    draw.text((left + PANEL + 8, TEXT), f"{far:.2g}  for", INK, font, anchor="lm")
    draw.text((width // 2, TEXT * 9 // 4), unit, PALE, font, anchor="mm")
    key.paste(text, (0, TEXT * 4))
    return key


def _row(panels: Sequence[tuple[Image.Image, list[str]]], side: int, width: int) -> Image.Image:
    """Pictures side by side, each with lines of text below it."""
    height = max(shown.height for shown, _ in panels)
    lines = max(len(summary) for _, summary in panels)
    row = Image.new("RGB", (width, height + lines * (TEXT + 6) + GAP), "white")
    draw = ImageDraw.Draw(row)
    for place, (shown, summary) in enumerate(panels):
        left = MARGIN + place * (side + GAP)
        row.paste(shown, (left, height - shown.height))
        for number, text in enumerate(summary):
            drawn, font = _lettered(text, TEXT if number == 0 else TEXT - 2)
            top = height + 6 + number * (TEXT + 6)
            draw.text((left, top), _cut(drawn, side, font), INK if number == 0 else PALE, font)
    return row


def _paragraph(text: str, width: int) -> Image.Image:
    """Text in lines no wider than the picture."""
    drawn, font = _lettered(text, TEXT - 1)
    lines = [""]
    for word in drawn.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width - 2 * MARGIN:
            lines.append(word)
        else:
            lines[-1] = longer
    block = Image.new("RGB", (width, len(lines) * (TEXT + 5) + GAP), "white")
    draw = ImageDraw.Draw(block)
    for number, line in enumerate(lines):
        draw.text((MARGIN, number * (TEXT + 5)), _cut(line, width - 2 * MARGIN, font), INK, font)
    return block


def _cut(text: str, width: int, font: Font) -> str:
    """The text as far as it fits, with dots where it was cut."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


def _lettered(text: str, size: int) -> tuple[str, Font]:
    """A text as it can be drawn, and the font that has its letters.

    Pillow's own font has those of English alone; others are looked for where systems keep theirs. What no
    font has is spelled out, as is what a terminal would obey.
    """
    shown = escaped(text)
    for name in ("", *SYSTEM_FONTS):
        font = _font(name, size)
        if font is not None and all(_has(name, char) for char in shown):
            return shown, font
    spelled = (char if _has("", char) else char.encode("unicode_escape").decode("ascii") for char in shown)
    return "".join(spelled), _plain(size)


@functools.lru_cache(maxsize=4096)
def _has(name: str, char: str) -> bool:
    if ord(char) < 128:
        return True
    font = _font(name, TEXT)
    return font is not None and bytes(font.getmask(char)) != bytes(font.getmask("\uffff"))


@functools.cache
def _font(name: str, size: int) -> Font | None:
    """A font of the system, None where it has no such; without a name Pillow's own."""
    if not name:
        return _plain(size)
    try:
        return ImageFont.truetype(name, size)
    except (OSError, ImportError):
        return None


@functools.cache
def _plain(size: int) -> Font:
    return ImageFont.load_default(size)


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _scaled(area: Box, across: float, down: float) -> Box:
    left, top, right, bottom = area
    return round(left * across), round(top * down), round(right * across), round(bottom * down)


def _softened(values: FloatArray, axis: int) -> FloatArray:
    """A Gaussian blur along an axis, the border repeated."""
    reach = values.shape[axis] / SOFT
    if reach < 1:
        return values
    places = np.arange(-int(3 * reach), int(3 * reach) + 1)
    weights = np.exp(-0.5 * (places / reach) ** 2)
    padded = np.pad(
        values, [(len(places) // 2,) * 2 if number == axis else (0, 0) for number in (0, 1)], "edge"
    )
    blurred: FloatArray = np.apply_along_axis(np.convolve, axis, padded, weights / weights.sum(), "valid")
    return blurred
