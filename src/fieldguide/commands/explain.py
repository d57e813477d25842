"""``fieldguide explain``: a picture of what each place of a photo adds to an answer."""

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide import terminal
from fieldguide.commands.options import STANDARD_OUTPUT, add_json, new_png, write_json

if TYPE_CHECKING:
    from fieldguide.explain import Explanation
    from fieldguide.nearest import Neighbour
    from fieldguide.predictor import Predictor

NAME = "explain"
HELP = "draw which places of a photo speak for an answer, and which against it"

NEIGHBOURS = 6
"""Training images shown."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare MODEL, IMAGE, ``--out``, the class to explain and where the training images are."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    parser.add_argument("image", type=Path, metavar="IMAGE", help="a photo")
    parser.add_argument("--out", type=new_png, required=True, metavar="FILE", help="the picture, FILE.png")
    parser.add_argument("--label", metavar="L", help="the class to explain (default: the most probable one)")
    parser.add_argument(
        "--train", type=Path, metavar="DATA", help="also show the images of DATA that the photo is most like"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Explain, draw, say in a line what was found."""
    from fieldguide.errors import RefusedInput
    from fieldguide.predictor import load

    model = load(options.model)
    try:
        chosen = model.explain(options.image, options.label)
    except RefusedInput as refused:
        terminal.say(f"refused {options.image}: {refused.message} ({refused.code})")
        return 1
    explained = [chosen]
    if chosen.rival != chosen.label:
        explained.append(model.explain(options.image, chosen.rival))
    near = _nearest(model, options)
    _draw(options, explained, near)
    tell = terminal.say if options.json == STANDARD_OUTPUT else terminal.show
    for line in lines(explained):
        tell(line)
    answer: dict[str, Any] = chosen.as_dict()
    answer["second"] = explained[1].as_dict() if len(explained) > 1 else None
    if options.train is not None:
        answer["nearest"] = [one.as_dict() for one in near]
    write_json(answer, options.json, indent=None)
    return 0


def lines(explained: "list[Explanation]") -> list[str]:
    """What the picture says, in words."""
    from fieldguide.heat_picture import sentence

    first = explained[0]
    said = f"unknown (nearest class: {first.predicted})" if first.unknown else first.predicted
    figures = [
        f"  {one.label}: probability {one.probability:.3f}, score {one.score:.3f}"
        + (f" = {float(one.map.sum(dtype=float)):.3f} from the photo {one.bias:+.3f}" if one.exact else "")
        for one in explained
    ]
    return [f"answer: {said}, typicality {first.typicality:.3f}", *figures, sentence(first)]


def _nearest(model: "Predictor", options: argparse.Namespace) -> "list[Neighbour]":
    if options.train is None:
        return []
    from fieldguide.dataset import open_dataset
    from fieldguide.files import cache_folder
    from fieldguide.nearest import nearest

    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(terminal.progress())
        opened = open_dataset(options.train, minimum_classes=0, progress=progress)
        dataset = stack.enter_context(opened)
        part = dataset.select("train") if "train" in (dataset.splits or ()) else dataset
        near = nearest(model, options.image, part, count=NEIGHBOURS, cache=cache_folder(), progress=progress)
        options.pictures = _pictures(near)  # an archive's images are gone after this block
    return list(near)


def _pictures(near: "tuple[Neighbour, ...]") -> list[Any]:
    from fieldguide.images import open_image

    return [open_image(one.path) for one in near]


def _draw(options: argparse.Namespace, explained: "list[Explanation]", near: "list[Neighbour]") -> None:
    from fieldguide.files import atomic_write
    from fieldguide.heat_picture import picture
    from fieldguide.images import open_image

    pairs = list(zip(near, getattr(options, "pictures", ()), strict=True))
    drawn = picture(open_image(options.image), explained, pairs)
    with atomic_write(options.out) as file:
        drawn.save(file, format="PNG", optimize=True)
