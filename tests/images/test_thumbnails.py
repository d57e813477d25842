import io

import pytest
from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images.thumbnails import data_url, thumbnail


def photo(**saved):
    memory = io.BytesIO()
    Image.new("RGB", (400, 200), (10, 200, 30)).save(memory, "JPEG", **saved)
    return memory.getvalue()


def test_a_thumbnail_fits_and_keeps_the_shape():
    with Image.open(io.BytesIO(thumbnail(photo(), 100))) as small:
        assert (small.size, small.format) == ((100, 50), "WEBP")


def test_neither_place_nor_hidden_page_travels_along():
    exif = Image.Exif()
    exif[0x9286] = "secret place"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 30.0)
    whole = photo(exif=exif, comment=b"<script>alert(1)</script>") + b"<script>alert(2)</script>"
    assert b"secret" in whole and b"script" in whole
    small = thumbnail(whole, 100)
    assert b"secret" not in small and b"script" not in small and b"Exif" not in small


def test_what_cannot_be_read_is_refused():
    with pytest.raises(RefusedInput):
        thumbnail(b"no image", 100)


def test_a_url_holds_the_picture():
    assert data_url(b"\xff\xd8").startswith("data:image/jpeg;base64,/9g")
    assert data_url(thumbnail(photo(), 10)).startswith("data:image/webp;base64,UklG")


def test_a_photo_that_is_small_enough_is_left_as_it_is_and_copied():
    image = Image.new("RGB", (40, 20))
    thumbnail(image, 10)
    assert image.size == (40, 20)
