"""Which format a file's first bytes announce; names and extensions are never asked."""

import re

from fieldguide.errors import RefusedInput

ALLOWED = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, camera raw or, with a plug-in, HEIC and DICOM"

RAW = "camera raw"
"""What :func:`identify` calls those that do not begin like a TIFF, as DNG, NEF and ARW do."""
_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"IIRO": RAW,
    b"IIRS": RAW,
    b"MMOR": RAW,
    b"IIU\0": RAW,
    b"FUJIFILMCCD-RAW": RAW,
}
_OTHER_IMAGES = {
    b"8BPS": "PSD (Photoshop)",
    b"icns": "ICNS",
    b"%!PS": "EPS (PostScript)",
    b"\xc5\xd0\xd3\xc6": "EPS (PostScript)",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\xff\x0a": "JPEG XL",
    b"II\xbc\x01": "JPEG XR",
    b"DDS ": "DDS",
    b"BLP1": "BLP",
    b"BLP2": "BLP",
    b"SIMPLE  =": "FITS",
    b"\xd7\xcd\xc6\x9a": "WMF",
    b"\x01\0\x09\0\0\x03": "WMF",
    b"\x01\xda": "SGI",
    b"qoif": "QOI",
    b"\x76\x2f\x31\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"gimp xcf": "XCF (GIMP)",
    b"\x8aMNG": "MNG",
    b"AT&TFORM": "DjVu",
    b"\x59\xa6\x6a\x95": "Sun raster",
    b"\xb1\x68\xde\x3a": "DCX",
    b"DanM": "MSP",
    b"LinS": "MSP",
    b"FTEX": "FTEX",
    b"/* XPM */": "XPM",
    b"\x80\xe8\0\0": "PIXAR",
    b"BUFR": "BUFR",
    b"GRIB": "GRIB",
    b"\x89HDF": "HDF5",
    b"Image type:": "IM",
}
_OTHER_PATTERNS = (
    (re.compile(rb"\0\0\x01\0(?!\0\0)"), "ICO"),
    (re.compile(rb"\0\0\x02\0(?!\0\0)"), "CUR"),
    (re.compile(rb"P[1-7Ffy][\s#]"), "PPM/PGM/PBM"),
    (re.compile(rb"\s*#define\s+\S+_width\s"), "XBM"),
    (re.compile(rb"\x0a[\x00-\x05]\x01[\x01\x02\x04\x08]"), "PCX"),
    (re.compile(rb"[\s\S]{20}GIMP"), "GBR (GIMP brush)"),
    (re.compile(rb"[\s\S]{2048}PCD_"), "Photo CD"),
    (re.compile(rb"[\s\S]{4}[\x11\x12]\xaf"), "FLI/FLC"),
    (re.compile(rb"\x01\0\0\0[\s\S]{36} EMF"), "EMF"),
    (
        re.compile(rb"\x28\0\0\0[\s\S]{8}\x01\0[\x01\x04\x08\x10\x18\x20]\0"),
        "DIB (a bitmap without its file header)",
    ),
    (re.compile(rb"[\s\S][\x00\x01][\x01-\x03\x09-\x0b][\s\S]{13}[\x08\x0f\x10\x18\x20]"), "TGA"),
)
_NOT_IMAGES = (
    (re.compile(rb"<!doctype html|<html|<head|<body", re.I), "a web page (HTML)"),
    (
        re.compile(rb"(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*|<!doctype svg[^>]*>\s*)*<svg", re.I),
        "an SVG drawing",
    ),
    (re.compile(rb"<\?xml|<[a-z]", re.I), "an XML document"),
    (re.compile(rb"[{\[]"), "a JSON document"),
    (re.compile(rb"%PDF"), "a PDF document"),
    (re.compile(rb"PK\x03\x04|PK\x05\x06"), "a ZIP archive"),
    (re.compile(rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!"), "an archive"),
    (re.compile(rb"\x7fELF|MZ"), "a program"),
)
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif", ".avifs"),
    "HEIF": (".heic", ".heif", ".hif"),
    "DICOM": (".dcm", ".dicom"),
    RAW: (".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".sr2", ".raf", ".orf", ".rw2", ".pef", ".srw"),
}

IMAGE_SUFFIXES: frozenset[str] = frozenset(suffix for suffixes in _SUFFIXES.values() for suffix in suffixes)
"""Usual extensions of images that can be read, lower case with the dot; for walking folders."""


DICOM_SUFFIXES: frozenset[str] = frozenset(_SUFFIXES["DICOM"])
"""Extensions of DICOM, lower case with the dot."""
DICOM_MARK_END = 132
"""So many bytes show whether a file is DICOM, which often has no extension."""


def identify(data: bytes) -> str:
    r"""Name the format of an image by its first bytes.

    Returns
    -------
    str
        ``JPEG``, ``PNG``, ``WEBP``, ``GIF``, ``BMP``, ``TIFF``, ``AVIF``, ``HEIF``, ``DICOM`` or
        ``camera raw``.

    Raises
    ------
    RefusedInput
        ``truncated`` where the file ends inside its signature, ``unsupported_format`` for an image format
        that is not read, ``not_an_image`` for anything else.

    Examples
    --------
    >>> identify(b"\xff\xd8\xff\xe0")
    'JPEG'
    >>> identify(b"%PDF-1.7")  # whatever its name
    Traceback (most recent call last):
        ...
    fieldguide.errors.RefusedInput: not_an_image: the file is a PDF document, not an image; ...
    """
    start = bytes(data[:4096])
    found = _allowed_format(start)
    if found is not None:
        return found
    other = _other_format(start)
    if other is not None:
        raise RefusedInput("unsupported_format", f"{other} is not read; convert it to one of {ALLOWED}")
    if _ends_inside_signature(start):
        raise RefusedInput("truncated", f"the file ends after {len(start)} bytes; copy or download it again")
    raise RefusedInput("not_an_image", f"the file is {_describe(start)}, not an image; allowed are {ALLOWED}")


def is_dicom(start: bytes) -> bool:
    """Whether a file that begins with these bytes, :data:`DICOM_MARK_END` at least, is marked as DICOM."""
    return start[128:DICOM_MARK_END] == b"DICM"


def mismatch(path: str, data: bytes) -> str | None:
    r"""Say in one sentence that a file's extension promises another format than its bytes hold.

    Returns
    -------
    str or None
        None where the extension fits, is not one of :data:`IMAGE_SUFFIXES`, or `data` is no allowed image.

    Examples
    --------
    >>> mismatch("photo.png", b"\xff\xd8\xff\xe0")
    'the name ends in .png but the file holds JPEG; it is read as JPEG'
    >>> mismatch("photo.jpeg", b"\xff\xd8\xff\xe0") is None
    True
    """
    suffix = re.sub(r".*(?=\.)|^[^.]*$", "", path, flags=re.S).lower()
    if suffix not in IMAGE_SUFFIXES:
        return None
    found = _allowed_format(bytes(data[:4096]))
    fitting = _SUFFIXES.get(found or "", ())
    # Most cameras' raw files begin as a TIFF does; what is in them is seen later.
    if found is None or suffix in fitting or (found == "TIFF" and suffix in _SUFFIXES[RAW]):
        return None
    return f"the name ends in {suffix} but the file holds {found}; it is read as {found}"


def _allowed_format(start: bytes) -> str | None:
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp":
        return _media_format(start)
    if start[:2] in (b"II", b"MM") and start[8:10] == b"CR":
        return RAW
    named = next((name for magic, name in _SIGNATURES.items() if start.startswith(magic)), None)
    # Many devices begin a DICOM file with a TIFF's mark and nothing behind it.
    return "DICOM" if named in (None, "TIFF") and is_dicom(start) else named


def _media_format(start: bytes) -> str | None:
    size = min(int.from_bytes(start[:4], "big"), 256)
    if start[8:12] == b"crx ":
        return RAW
    brands = {start[8:12], *(start[at : at + 4] for at in range(16, size, 4))}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else None


def _other_format(start: bytes) -> str | None:
    named = next((name for magic, name in _OTHER_IMAGES.items() if start.startswith(magic)), None)
    return named or next((name for pattern, name in _OTHER_PATTERNS if pattern.match(start)), None)


def _ends_inside_signature(start: bytes) -> bool:
    if start.startswith((b"RIFF"[: len(start)], b"\0\0\0")) and len(start) < 12:
        return True
    return any(magic.startswith(start) for magic in _SIGNATURES)


def _describe(start: bytes) -> str:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    named = next((name for pattern, name in _NOT_IMAGES if pattern.match(text)), None)
    if named:
        return named
    if start[4:8] == b"ftyp":
        return "a video or other media"
    printable = sum(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start[:512])
    return "text" if printable > 0.9 * len(start[:512]) else "of an unknown kind"
