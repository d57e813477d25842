"""Content decides what a file is; a wrong name is noted."""

from pathlib import Path

import pytest
from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images.decoding import IMAGE_SUFFIXES, mismatch, open_image
from fieldguide.images.formats import identify
from images_made import BASES, photo, refusal, saved

FORMATS = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "GIF": ".gif",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "WEBP": ".webp",
    "AVIF": ".avif",
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("suffix", sorted(set(FORMATS.values())))
def test_content_decides_and_a_wrong_name_is_noted(kind: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"photo{suffix.upper()}"
    path.write_bytes(saved(photo(), kind))
    assert open_image(path).size == (61, 47)
    note = mismatch(str(path), path.read_bytes())
    assert (note is None) == (FORMATS[kind] == suffix)
    assert note is None or (kind in note and suffix in note)


def test_mismatch_says_nothing_of_other_names() -> None:
    assert mismatch("a.photo", BASES["png"]) is None
    assert mismatch("folder.jpg/photo", BASES["png"]) is None
    assert mismatch("a.jpg", b"<html>") is None


OTHER_CONTENT = {
    "web page (HTML)": b"<!DOCTYPE html><html><body>404</body></html>",
    "HTML": b"\n <HTML><head></head></HTML>",
    "JSON": b'{"error": "not found"}',
    "XML": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "SVG": b'<?xml version="1.0"?>\n<!-- made by hand -->\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "PDF": b"%PDF-1.7\n",
    "ZIP": b"PK\x03\x04" + bytes(60),
    "program": b"\x7fELF\x02\x01\x01" + bytes(60),
    "text": b"This is not the photo you are looking for.\n",
    "video": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(60),
    "unknown": bytes(range(200, 256)) * 4,
}


@pytest.mark.parametrize("name", OTHER_CONTENT)
def test_other_content_is_not_an_image(name: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(OTHER_CONTENT[name])
    error = refusal(path)
    assert error.code == "not_an_image"
    assert name in error.message


OTHER_FORMATS = {
    "PSD": b"8BPS\0\1" + bytes(40),
    "ICO": saved(photo(32, 32), "ICO"),
    "EPS": saved(photo(), "EPS"),
    "JPEG 2000": saved(photo(), "JPEG2000"),
    "DDS": saved(photo(), "DDS"),
    "PPM": saved(photo(), "PPM"),
    "PCX": saved(photo(), "PCX"),
    "SGI": saved(photo(), "SGI"),
    "TGA": saved(photo(), "TGA"),
    "ICNS": saved(photo(32, 32), "ICNS"),
    "FITS": b"SIMPLE  =                    T" + bytes(60),
    "JPEG XL": b"\xff\x0a" + bytes(40),
    "WMF": b"\xd7\xcd\xc6\x9a" + bytes(60),
    "BLP": b"BLP2" + bytes(60),
    "QOI": saved(photo(), "QOI"),
}


@pytest.mark.parametrize("name", OTHER_FORMATS)
def test_other_formats_are_named_but_not_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", None)
    error = refusal(OTHER_FORMATS[name])
    assert error.code == "unsupported_format"
    assert name in error.message
    assert "JPEG, PNG, WebP" in error.message


def test_suffixes() -> None:
    assert {
        ".jpg",
        ".jpeg",
        ".png",
        ".webp",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".avif",
        ".heic",
    } <= IMAGE_SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in IMAGE_SUFFIXES)


def box(*brands: bytes, size: int | None = None) -> bytes:
    """A file's first box: its main brand, a version, and the brands that it fits."""
    body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return (size or len(body) + 4).to_bytes(4, "big") + body + bytes(400)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (box(b"avif"), "AVIF"),
        (box(b"heic", b"mif1"), "HEIF"),
        (box(b"mp42", b"isom", b"heic"), "HEIF"),
        (box(b"mp42", b"isom", b"mp41", b"avif"), "AVIF"),
        (box(b"heic", b"isom", b"avif"), "AVIF"),
        (box(b"crx ", b"isom", b"heic"), "camera raw"),
        (box(b"mp42", *[b"isom"] * 59, b"heic"), "HEIF"),
        (b"II*\0\x10\0\0\0CR\2\0", "camera raw"),
        (b"MM\0*\0\0\0\x10CR\2\0", "camera raw"),
        (b"II*\0\x10\0\0\0XCR\0", "TIFF"),
        (b"II*\0\x10\0\0\0C\0R\0", "TIFF"),
        (b"IIU\0", "camera raw"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"II*\0".ljust(128, b"\0") + b"DICM", "DICOM"),
    ],
)
def test_the_first_bytes_say_the_format(start: bytes, kind: str) -> None:
    assert identify(start) == kind


@pytest.mark.parametrize(
    "start", [box(b"mp42", b"isom"), box(b"mp42", b"isom", b"heic", size=20), bytes(127) + b"DICM" + bytes(9)]
)
def test_what_only_looks_alike_is_no_image(start: bytes) -> None:
    with pytest.raises(RefusedInput, match="not_an_image"):
        identify(start)


@pytest.mark.parametrize(
    ("start", "code"), [(b"RIFF\0\0\0\0WEB", "truncated"), (b"RIFF\0\0\0\0WAVE", "not_an_image")]
)
def test_a_signature_that_is_cut_off_is_not_another_kind(start: bytes, code: str) -> None:
    with pytest.raises(RefusedInput, match=code):
        identify(start)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x7f" * 50, "of an unknown kind"),
        (b"abcd efgh\x01", "of an unknown kind"),
        (b"abcd efghi\x01", "text"),
    ],
)
def test_what_can_be_read_is_text(content: bytes, kind: str) -> None:
    with pytest.raises(RefusedInput, match=f"the file is {kind}"):
        identify(content)
