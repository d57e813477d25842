"""Image files of every kind that a browser reads, by name; and those that it must refuse, with the code."""

import functools
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

ORIENTATION = 0x0112


def photo(width=320, height=214, seed=0):
    """Smooth colours with edges, so that every step of decoding and resizing shows."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (9, 13, 3), dtype=np.uint8))
    smooth = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    edges = (np.add.outer(np.arange(height), np.arange(width)) // 11 % 2)[..., None] * 40
    return Image.fromarray(np.clip(smooth + edges, 0, 255).astype(np.uint8))


def noise(width, height, channels=3):
    return np.random.default_rng(width + height).integers(0, 256, (height, width, channels), dtype=np.uint8)


def encoded(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def turned(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif.tobytes()


def swapped_profile():
    """A colour profile in which red and blue have changed places: whoever follows it sees other colours."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    begun = srgb.replace(b"rXYZ", b"tmp!", 1).replace(b"bXYZ", b"rXYZ", 1)
    return begun.replace(b"tmp!", b"bXYZ", 1)


def sixteen_bits():
    """A colour PNG of 16 bits, which Pillow does not write."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = np.random.default_rng(0).integers(0, 256, (30, 40 * 6), dtype=np.uint8)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 30, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


@functools.cache
def readable():
    """Name to bytes."""
    plain, palette = photo(), photo().quantize(64)
    see_through = photo().convert("RGBA")
    see_through.putalpha(Image.fromarray(noise(320, 214, 1)[..., 0]))
    profile = swapped_profile()
    sizes = {
        f"{width}x{height}.png": encoded(Image.fromarray(noise(width, height)), "PNG")
        for width, height in ((1, 1), (1, 500), (500, 1), (4000, 300))
    }
    jpegs = {
        "photo.jpg": encoded(plain, "JPEG", quality=90),
        "full-colour.jpg": encoded(plain, "JPEG", quality=95, subsampling=0),
        "progressive.jpg": encoded(plain, "JPEG", progressive=True),
        "grey.jpg": encoded(plain.convert("L"), "JPEG"),
        "wide.jpg": encoded(photo(4000, 300), "JPEG"),
        "large.jpg": encoded(photo(3001, 2003), "JPEG"),
        "profile.jpg": encoded(plain, "JPEG", icc_profile=profile),
        **{f"turned-{way}.jpg": encoded(plain, "JPEG", exif=turned(way)) for way in range(2, 9)},
    }
    others = {
        "transparent.png": encoded(see_through, "PNG"),
        "transparent-grey.png": encoded(see_through.convert("LA"), "PNG"),
        "one-colour-transparent.png": encoded(palette, "PNG", transparency=3),
        "transparent-profile.png": encoded(see_through, "PNG", icc_profile=profile),
        "grey.png": encoded(plain.convert("L"), "PNG"),
        "black-white.png": encoded(plain.convert("1"), "PNG"),
        "palette.png": encoded(palette, "PNG"),
        "sixteen-bits.png": sixteen_bits(),
        "turned.png": encoded(plain, "PNG", exif=turned(6)),
        "transparent.gif": encoded(palette, "GIF", transparency=3),
        "photo.webp": encoded(plain, "WEBP", quality=80),
        "transparent.webp": encoded(see_through, "WEBP", lossless=True, exact=True),
        "photo.bmp": encoded(plain, "BMP"),
    }
    return sizes | jpegs | others


@functools.cache
def refused():
    """Name to bytes and the code of the refusal."""
    bomb = bytearray(encoded(Image.new("L", (8, 8)), "PNG"))
    bomb[16:24] = struct.pack(">II", 60_000, 60_000)
    return {
        "cut.jpg": (encoded(photo(), "JPEG")[:8_000], "truncated"),
        "cut.png": (encoded(photo(), "PNG")[:8_000], "truncated"),
        "cut.webp": (encoded(photo(), "WEBP")[:2_000], "truncated"),
        "damaged.png": (encoded(photo(), "PNG").replace(b"IDAT", b"IDAX"), "damaged"),
        "inks.jpg": (encoded(photo().convert("CMYK"), "JPEG"), "unsupported_format"),
        "scan.tiff": (encoded(photo(), "TIFF"), "unsupported_format"),
        "vast.png": (bytes(bomb), "too_many_pixels"),
        "letter.jpg": (b"Dear all, this is no image.", "not_an_image"),
        "empty.png": (b"", "empty"),
    }
