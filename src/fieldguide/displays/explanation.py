"""An explanation: the photo, and what each place of it adds to an answer."""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from fieldguide.displays import html as page
from fieldguide.displays.drawing import axes_for
from fieldguide.errors import OptionError, RefusedInput
from fieldguide.explanation.explainer import Explanation
from fieldguide.explanation.overlay import overlay, sentence
from fieldguide.explanation.photo_explanation import PhotoExplanation
from fieldguide.images.decoding import open_image
from fieldguide.images.thumbnails import encoded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIDE = 260
"""Longer side of the pictures, in pixels."""


def lines(first: Explanation) -> list[str]:
    """What the picture says, in words."""
    second = first.second if isinstance(first, PhotoExplanation) else None
    explained = [first] if second is None else [first, second]
    figures = [
        f"  {one.label}: probability {one.probability:.3f}, score {one.score:.3f}"
        + (f" = {float(one.map.sum(dtype=float)):.3f} from the photo {one.bias:+.3f}" if one.exact else "")
        for one in explained
    ]
    return [f"answer: {first.answer}, typicality {first.typicality:.3f}", *figures, sentence(first)]


def html(one: Explanation) -> str:
    """The photo, and the map over it."""
    said = one.answer
    shots = []
    photo = _photo(one)
    if photo is not None:
        shots = [_shot(photo, said), _shot(_overlaid(photo, one), f"{one.label}: score {one.score:.2f}")]
    below = page.paragraph(sentence(one), "dim")
    heading = f"{said}: probability of {one.label} {one.probability:.3f}, typicality {one.typicality:.3f}"
    return page.whole(heading, page.side_by_side(shots), below, *_nearest(one))


def plot_map(one: Explanation, ax: "Axes | None") -> "Axes":
    """The map over its photo: orange speaks for the class, blue against it.

    Raises
    ------
    OptionError
        If the photo was given as pixels and is no longer at hand.
    """
    photo = _photo(one)
    if photo is None:
        raise OptionError(
            "plot: the photo is not at hand; explain it by its path, or with fieldguide.explain"
        )
    with axes_for(ax) as axes:
        axes.imshow(np.asarray(_overlaid(photo, one)))
        axes.set_axis_off()
        axes.set_title(f"{one.label}: probability {one.probability:.3f}")
    return axes


PLOTS = {"map": plot_map}


def _photo(one: Explanation) -> Image.Image | None:
    if isinstance(one, PhotoExplanation):
        return one.photo
    try:
        return None if one.path is None else open_image(one.path)
    except RefusedInput:  # changed or removed since it was explained
        return None


def _overlaid(photo: Image.Image, one: Explanation) -> Image.Image:
    small = _sized(photo)
    across, down = small.width / photo.width, small.height / photo.height
    left, top, right, bottom = one.area
    area = (round(left * across), round(top * down), round(right * across), round(bottom * down))
    return overlay(small, one.map, area)


def _sized(photo: Image.Image) -> Image.Image:
    """The photo as large as it is shown: a map over a few pixels would be a few pixels, too."""
    scale = SIDE / max(photo.size)
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    return photo.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST)


def _shot(picture: Image.Image, line: str) -> page.Html:
    return page.Html(
        f'<figure style="max-width:{SIDE}px">{page.encoded(encoded(_sized(picture)), SIDE)}'
        f"<figcaption>{page.text(line)}</figcaption></figure>"
    )


def _nearest(one: Explanation) -> list[page.Html]:
    """Training photos that the photo is most like, where they were looked for."""
    if not isinstance(one, PhotoExplanation) or not one.nearest:
        return []
    shots = [page.photo(near.path, (near.label, f"similarity {near.similarity:.2f}")) for near in one.nearest]
    return [page.paragraph("training photos that it is most like", "dim"), page.side_by_side(shots)]
