"""Small camera raw files: a sensor's values in a mosaic, and the JPEG previews beside them."""

import struct

from images_made import photo, saved

PREVIEW = saved(photo(320, 240), "JPEG", quality=90)
ICON = saved(photo(60, 40), "JPEG")
Directory = dict[int, int | tuple[int, ...]]
JPEG_AT = -1
"""Stands for the place of the preview, which is known once the directories are written."""
ICON_AT = -2
SENSOR_AT = -3


def tiff_of(
    directories: list[Directory], blobs: dict[int, bytes], order: str = "<", magic: bytes = b""
) -> bytes:
    """A TIFF whose first directory names the others as those below it (tag 330).

    Values of -1, -2 … are replaced by where the blob of that number lies.
    """
    head = magic or (b"II*\0" if order == "<" else b"MM\0*")
    start = 16 if b"CR" in head else 8
    lengths = [6 + 12 * len(found) for found in directories]
    lengths[0] += 12 * (len(directories) > 1)
    places = [start + sum(lengths[:index]) for index in range(len(directories))]
    at = start + sum(lengths) + 4 * len(directories)
    below = places[1:]
    blob_places: dict[int, int] = {}
    for number, blob in blobs.items():
        blob_places[number] = at
        at += len(blob)
    body = b""
    for index, found in enumerate(directories):
        entries: Directory = dict(found)
        if index == 0 and below:
            entries[330] = below[0] if len(below) == 1 else start + sum(lengths)
        body += struct.pack(order + "H", len(entries))
        for tag, value in sorted(entries.items()):
            number = blob_places.get(value, value) if isinstance(value, int) else value
            count = len(below) if tag == 330 else 1
            body += struct.pack(order + "HHII", tag, 4, count, number)
        body += bytes(4)
    body += struct.pack(f"{order}{len(below)}I", *below) + bytes(4 * (len(directories) - len(below)))
    return (
        head[:4]
        + struct.pack(order + "I", start)
        + head[4:].ljust(start - 8, b"\0")
        + body
        + b"".join(blobs.values())
    )


def dng(
    orientation: int = 1, order: str = "<", preview: bytes = PREVIEW, sensor: bytes = bytes(4000)
) -> bytes:
    """As converters write it: an icon first, the sensor's values and the preview below."""
    icon: Directory = {
        254: 1, 256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: SENSOR_AT, 274: orientation, 277: 1,
        278: 8, 279: 64, 50706: 1025,
    }  # fmt: skip
    values: Directory = {
        256: 50,
        257: 40,
        258: 16,
        259: 1,
        262: 32803,
        273: SENSOR_AT,
        278: 40,
        279: len(sensor),
    }
    shown: Directory = {254: 1, 256: 320, 257: 240, 259: 7, 262: 6, 273: JPEG_AT, 278: 240, 279: len(preview)}
    return tiff_of([icon, values, shown], {JPEG_AT: preview, SENSOR_AT: sensor}, order)


def nef(orientation: int = 1, preview: bytes = PREVIEW) -> bytes:
    """As Nikon and Sony do: the preview below, by the older pair of tags; no mark of DNG."""
    icon: Directory = {
        254: 1, 256: 8, 257: 8, 258: 8, 259: 1, 262: 2, 273: SENSOR_AT, 274: orientation, 277: 1,
        278: 8, 279: 64,
    }  # fmt: skip
    shown: Directory = {254: 1, 259: 6, 513: JPEG_AT, 514: len(preview)}
    values: Directory = {256: 50, 257: 40, 258: 14, 259: 34713, 262: 32803, 273: SENSOR_AT, 278: 40, 279: 400}
    return tiff_of([icon, shown, values], {JPEG_AT: preview, SENSOR_AT: bytes(400)})


def cr2(orientation: int = 1) -> bytes:
    """As Canon did: the preview in the first directory's one strip."""
    shown: Directory = {256: 320, 257: 240, 259: 6, 273: JPEG_AT, 274: orientation, 279: len(PREVIEW)}
    return tiff_of([shown], {JPEG_AT: PREVIEW}, magic=b"II*\0CR\2\0")


def rw2(orientation: int = 1) -> bytes:
    """As Panasonic does: the preview is the value of one tag."""
    shown: Directory = {274: orientation, 46: JPEG_AT}
    made = tiff_of([shown], {JPEG_AT: PREVIEW}, magic=b"IIU\0")
    return made.replace(struct.pack("<HHI", 46, 4, 1), struct.pack("<HHI", 46, 7, len(PREVIEW)))


def raf(preview: bytes = PREVIEW) -> bytes:
    """As Fujifilm does: the header says where the JPEG is."""
    head = b"FUJIFILMCCD-RAW 0201FF383501FinePix".ljust(84, b"\0")
    return head + struct.pack(">II", 160, len(preview)) + bytes(68) + preview + bytes(500)


def orf(orientation: int = 1) -> bytes:
    """As Olympus does: a TIFF of its own mark, the preview in the maker's notes."""
    shown: Directory = {256: 50, 257: 40, 259: 1, 273: SENSOR_AT, 274: orientation, 279: 4000}
    return tiff_of([shown], {ICON_AT: ICON, JPEG_AT: PREVIEW, SENSOR_AT: bytes(4000)}, magic=b"IIRO")


def cr3(orientation: int = 1) -> bytes:
    """As Canon does now: boxes as in a video, orientation in CMT1."""
    notes = b"II*\0" + struct.pack("<IHHHIIH", 8, 1, 274, 3, 1, orientation, 0)
    return (
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom"
        + struct.pack(">I", 8 + len(notes)) + b"CMT1" + notes
        + struct.pack(">I", 8 + len(ICON)) + b"THMB" + ICON
        + struct.pack(">I", 8 + len(PREVIEW) + 900) + b"mdat" + PREVIEW + bytes(900)
    )  # fmt: skip
