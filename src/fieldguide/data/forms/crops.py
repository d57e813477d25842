"""Annotated boxes cut out of their photos: each is an image with a label, and its photo is its group.

A crop is written losslessly, upright, into the temporary folder of DATA, as
``photo.jpg/photo_12-30-88-140.png`` with the edges of its box in pixels of the upright photo: left, top,
right, bottom. A name that is copied elsewhere, as `convert` does, still leads back. Boxes of one photo stay
on one side of every split, since they share light, place and time.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from PIL import Image

from fieldguide.data.forms.listing import located
from fieldguide.data.forms.records import Box, Record, Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError, Refusal, RefusedInput
from fieldguide.images.decoding import open_image

_FOLDER = "crops"
_SMALLEST = 4
"""Pixels a side that a box must have at least."""
_MOST_OVERLAP = 20
"""So many times its own pixels the boxes of a photo may hold: annotations must not fill the disk."""
_LONGEST_STEM = 150
"""Bytes of a photo's name that go into those of its crops; files may have 255."""
_SAME_SHAPE = 0.02
"""How far the sides of a photo may be from those that its boxes were drawn on, as a share."""


def cropped(source: DataSource, records: Records) -> Records:
    """Cut the boxes of records out of their photos.

    Parameters
    ----------
    source : DataSource
        DATA, whose temporary folder gets the crops.
    records : Records
        Images with a box each.

    Returns
    -------
    Records
        Of the crops; boxes of a photo that is missing or cannot be read are refused with it, once.
    """
    found, refused = located(records, lambda: source.index)
    root = source.scratch / _FOLDER
    whole = replace(records, root=root, records=[], refused=[*records.refused, *refused])
    whole.has_groups = True
    by_photo: dict[str, list[Record]] = {}
    for record in records.records:
        path = found[record.name]
        if path is not None:
            by_photo.setdefault(path, []).append(record)
    for done, (path, members) in enumerate(by_photo.items(), start=1):
        _cut_photo(source, path, members, whole)
        source.progress("crops", done, len(by_photo))
    boxes, photos = count_of(len(whole.records), "box"), count_of(len(by_photo), "photo")
    whole.notes.append(f"{boxes} cut out of {photos}; those of one photo stay on one side of every split")
    return whole


def _cut_photo(source: DataSource, path: str, members: Sequence[Record], whole: Records) -> None:
    name = os.path.relpath(path, source.base)
    try:
        image = open_image(path)
    except RefusedInput as error:
        whole.refused.append(Refusal(name, error.code, error.message))
        return
    left = _MOST_OVERLAP * image.width * image.height
    folder = whole.root / name
    for number, record in enumerate(members, start=1):
        edges = _edges(record.box, image) if record.box is not None else "it has no box"
        if not isinstance(edges, str):
            left -= (edges[2] - edges[0]) * (edges[3] - edges[1])
            edges = "the boxes of its photo hold too many pixels" if left < 0 else edges
        if isinstance(edges, str):
            whole.refused.append(Refusal(f"{name}, box {number}", "damaged_row", edges))
            continue
        crop = _apart(folder, PurePath(name).stem, edges, number)
        _save(image.crop(edges), crop)
        inner = os.path.relpath(crop, whole.root)
        whole.records.append(replace(record, name=inner, box=None, group=record.group or name))


def _apart(folder: Path, stem: str, edges: tuple[int, int, int, int], number: int) -> Path:
    """Where a crop goes: named by its photo and box, and its number if that is taken or too long."""
    box = "-".join(map(str, edges))
    if len(os.fsencode(stem)) > _LONGEST_STEM:
        return folder / f"{number}_{box}.png"
    path = folder / f"{stem}_{box}.png"
    return folder / f"{stem}_{box}_{number}.png" if path.exists() else path


def _save(crop: Image.Image, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        crop.save(path, compress_level=1)
    except OSError as error:
        raise DataError(
            f"{path.parent}: a crop cannot be written ({error.strerror or error}); make room"
        ) from error


def _edges(box: Box, image: Image.Image) -> tuple[int, int, int, int] | str:
    """The pixels of a box, as far as it lies on the photo; a sentence where it cannot be used."""
    across, down = image.width / (box.width or image.width), image.height / (box.height or image.height)
    shares = (box.width, box.height) == (1, 1)
    if not shares and abs(across - down) > _SAME_SHAPE * max(across, down):
        drawn, now = f"{box.width:g} x {box.height:g}", f"{image.width} x {image.height}"
        return f"it was drawn on a photo of {drawn} pixels, and this one has {now}"
    left, right = sorted((box.left * across, box.right * across))
    top, bottom = sorted((box.top * down, box.bottom * down))
    if not all(abs(edge) < float("inf") for edge in (left, top, right, bottom)):
        return "its edges must be numbers"
    edges = (
        max(0, round(left)),
        max(0, round(top)),
        min(image.width, round(right)),
        min(image.height, round(bottom)),
    )
    if edges[2] - edges[0] < _SMALLEST or edges[3] - edges[1] < _SMALLEST:
        return f"it must have {_SMALLEST} pixels a side on the photo"
    return edges
