"""Image files for tests of readers: sound ones of every format, and what is built byte by byte."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images.decoding import CODES, open_image

WHITE = (255, 255, 255)


def photo(width: int = 61, height: int = 47) -> Image.Image:
    """A picture with an up, a left, and detail enough for every codec."""
    rows, columns = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(7).integers(0, 40, (height, width))
    planes = (rows * 200 // height + noise, columns * 200 // width, (rows + columns) % 64 * 3)
    return Image.fromarray(np.stack(planes, axis=-1).clip(0, 255).astype(np.uint8))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """A picture as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def refusal(source: object) -> RefusedInput:
    """What a reader says of a source that it must refuse."""
    with pytest.raises(RefusedInput) as caught:
        open_image(source)  # type: ignore[arg-type]
    assert caught.value.code in CODES
    return caught.value


def code(source: object) -> str:
    """The code of that."""
    return refusal(source).code


BASES: dict[str, bytes] = {
    "jpeg": saved(photo(), "JPEG", quality=85),
    "jpeg-progressive": saved(photo(), "JPEG", progressive=True),
    "jpeg-grey": saved(photo().convert("L"), "JPEG"),
    "png": saved(photo(), "PNG"),
    "png-palette": saved(photo().quantize(30), "PNG"),
    "gif": saved(photo(), "GIF"),
    "gif-animated": saved(
        photo(), "GIF", save_all=True, append_images=[photo().rotate(9), photo().rotate(20)]
    ),
    "bmp": saved(photo(), "BMP"),
    "tiff": saved(photo(), "TIFF"),
    "tiff-lzw": saved(photo(), "TIFF", compression="tiff_lzw"),
    "tiff-jpeg": saved(photo(), "TIFF", compression="jpeg"),
    # Compressed, Pillow writes a classic TIFF whatever is asked for.
    "tiff-big": saved(photo(), "TIFF", big_tiff=True),
    "tiff-deflate": saved(photo(), "TIFF", compression="tiff_adobe_deflate"),
    "webp": saved(photo(), "WEBP"),
    "webp-lossless": saved(photo(), "WEBP", lossless=True),
    "avif": saved(photo(), "AVIF", speed=10),
}


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2, rows: bytes = b"") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + b"".join(chunks)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def gif(width: int, height: int, frame: tuple[int, int, int, int]) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return screen + b"," + struct.pack("<HHHHB", *frame, 0) + b"\x02\x02\x4c\x01\x00;"


def tiff(width: int, height: int) -> bytes:
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 5),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
    ]
    tags += [(277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 8)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<I", 16) + bytes(8) + struct.pack("<H", len(tags)) + entries + bytes(4)


MEASURE = """
import resource, sys, time
from fieldguide.images.decoding import open_image
from fieldguide.errors import RefusedInput
open_image(open(sys.argv[1], "rb").read())
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[2:]:
    before, seconds = peak(), []
    for _ in range(3):
        start = time.process_time()
        try:
            open_image(path)
            code = "read"
        except RefusedInput as error:
            code = error.code
        seconds.append(time.process_time() - start)
    print(code, peak() - before, min(seconds))
"""


def measured(folder: Path, files: dict[str, bytes]) -> dict[str, tuple[str, float, float]]:
    """Code, extra megabytes and processor seconds (least of three: others may load the machine) of each file.

    They are opened one by one in a fresh process.
    """
    paths = []
    for name, data in {"warm": BASES["png"], **files}.items():
        paths.append(folder / name)
        paths[-1].write_bytes(data)
    done = subprocess.run([sys.executable, "-c", MEASURE, *paths], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    lines = (line.split() for line in done.stdout.splitlines())
    return {
        name: (found, int(extra) / 1024, float(seconds))
        for name, (found, extra, seconds) in zip(files, lines, strict=True)
    }


def levels(data: bytes) -> int:
    """Different values in the picture as it is read."""
    return len(np.unique(np.asarray(open_image(data))))


def exif(orientation: int) -> bytes:
    """An EXIF block that says how the camera was held, 1 to 8."""
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()
