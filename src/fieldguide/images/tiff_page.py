"""One picture of a TIFF: whether all of it is there, what decoding costs, a file that holds only it."""

import struct

from fieldguide.errors import RefusedInput
from fieldguide.images.header import ORIENTATION_TAG, damaged, truncated
from fieldguide.images.tiff_directory import Directory, TiffLayout, WantedTags

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, DESCRIPTION = 256, 257, 258, 259, 262, 270
SAMPLES, STRIP_ROWS, PLANAR, TILE_WIDTH, TILE_HEIGHT, XMP = 277, 278, 284, 322, 323, 700
SAMPLE_FORMAT = 339
PLACES = ((273, 279), (324, 325))
"""Tags of where strips lie and how long they are, then those of tiles."""
MAX_SAMPLES = 16
# None, fax, LZW, JPEG, Deflate, PackBits, LZMA, Zstandard: what Pillow's wheels unpack without printing.
_COMPRESSIONS = {1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32946, 34925, 50000}
# One number each; Pillow warns about more.
_SINGLE = {256, 257, 259, 262, 266, 277, 278, 284, 292, 293, 317, 322, 323, 512, 513, 514, 515, 531}
_KEPT = _SINGLE | {258, 273, 279, 320, 324, 325, 338, 339, 347, 519, 520, 521, 529, 530, 532}
WANTED = WantedTags(frozenset(_KEPT | {ORIENTATION_TAG}), frozenset(_SINGLE), frozenset({XMP}))
"""What is read of a picture's directory."""


def check_page(data: bytes, page: Directory) -> None:
    """Refuse a picture that is cut off, contradicts itself, or is compressed in a way that is not read."""
    if WIDTH not in page or HEIGHT not in page:
        raise damaged("TIFF", "it names no width and height")
    compression = page.number(COMPRESSION, 1)
    if compression not in _COMPRESSIONS:
        raise RefusedInput("unsupported_format", f"TIFF compression {compression} is not read; use LZW")
    if page.number(SAMPLES, 1) > MAX_SAMPLES:
        raise damaged("TIFF", f"it claims {page.number(SAMPLES, 1):,} values a pixel")
    _check_places(data, page)


def bits_of_page(page: Directory) -> int:
    """Bits of a value."""
    return max(page.values(BITS), default=1)


def raw_lengths(page: Directory, pieces: int) -> list[int]:
    """Bytes of every strip or tile of an uncompressed image."""
    height = page.number(HEIGHT, 0)
    bits = page.values(BITS) or (1,)
    planar = page.number(PLANAR, 1) == 2
    depth = bits[0] if planar else sum(bits) if len(bits) > 1 else bits[0] * page.number(SAMPLES, 1)
    if TILE_WIDTH in page:
        return [(page.number(TILE_WIDTH, 0) * depth + 7) // 8 * page.number(TILE_HEIGHT, 0)] * pieces
    line = (page.number(WIDTH, 0) * depth + 7) // 8
    rows = max(1, min(page.number(STRIP_ROWS, height), height))
    strips = max(1, -(-height // rows))
    return [line * min(rows, height - index % strips * rows) for index in range(pieces)]


def only_page(data: bytes, layout: TiffLayout, page: Directory) -> bytes:
    """The same file with one directory, which holds just what the pixels need."""
    kept = sorted((number, tag) for number, tag in page.tags.items() if number in _KEPT)
    entries = [struct.pack(layout.entry, number, tag.kind, tag.count, tag.raw) for number, tag in kept]
    padding = bytes(-len(data) % 8)
    head = 8 if layout.big else 4
    start = struct.pack(layout.offset, len(data) + len(padding))
    body = memoryview(data)[head + len(start) :]
    directory = [struct.pack(layout.count, len(kept)), *entries, struct.pack(layout.offset, 0)]
    return b"".join([data[:head], start, body, padding, *directory])


def page_decoder_bytes(page: Directory) -> float:
    """Image plus one strip or tile of the size that libtiff reads at once, spread over all pixels."""
    samples, bits = page.number(SAMPLES, 1), bits_of_page(page)
    image = 4 if samples > 1 or bits > 16 else max(1, bits // 8)
    pixels = max(1, page.number(WIDTH, 0) * page.number(HEIGHT, 0))
    rows = min(page.number(STRIP_ROWS, 2**32), page.number(HEIGHT, 0))
    strip = rows * page.number(WIDTH, 0)
    tile = page.number(TILE_WIDTH, 0) * page.number(TILE_HEIGHT, 0)
    return image + (tile or strip) * samples * max(bits, 8) / 8 / pixels


def _check_places(data: bytes, page: Directory) -> None:
    """Refuse a file that ends before its last strip or tile does, or that lists too few of them."""
    for offsets, counts in PLACES:
        starts = page.values(offsets)
        # Pillow leaves black what no strip covers.
        if starts and len(starts) < (needed := _pieces(page)):
            raise damaged("TIFF", f"it lists {len(starts):,} of {needed:,} strips or tiles")
        # Without compression the stated lengths are not needed, and often wrong.
        raw = page.number(COMPRESSION, 1) == 1
        lengths = raw_lengths(page, len(starts)) if raw else page.values(counts)
        if any(start + length > len(data) for start, length in zip(starts, lengths, strict=False)):
            raise truncated("TIFF")


def _pieces(page: Directory) -> int:
    """How many strips or tiles an image of this size has."""
    width, height = page.number(WIDTH, 0), page.number(HEIGHT, 0)
    planes = page.number(SAMPLES, 1) if page.number(PLANAR, 1) == 2 else 1
    if TILE_WIDTH in page:
        across, down = max(1, page.number(TILE_WIDTH, 0)), max(1, page.number(TILE_HEIGHT, 0))
        return -(-width // across) * -(-height // down) * planes
    return -(-height // max(1, page.number(STRIP_ROWS, height))) * planes
