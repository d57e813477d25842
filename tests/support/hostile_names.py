"""Names and photos that must not reach a page as they are."""

import io

from PIL import Image

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</script><script>alert(1)</script>",
    "</style><img src=http://example.invalid/x.png>",
    "<!--<script>",
    "]]><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "$x^2$ \\frac",
    "a\u202egpj.exe",
    "a\x00b\x1b[31m\r\nc",
    "bad\udcff\udc80",
    "=cmd|' /C calc'!A0",
    "%3Cscript%3E&lt;b&gt;",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<base href=http://example.invalid/>",
    "<meta http-equiv=refresh content=0;url=http://example.invalid>",
    "＜script＞alert(1)＜/script＞",
]


NAMES = [f"{payload}{number}" for number in range(5) for payload in PAYLOADS]


def gps_photo(size=(400, 300)):
    """A JPEG with a place, a comment and an orientation."""
    photo = Image.effect_noise(size, 60).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    exif[0x010E] = "SECRET PLACE"
    file = io.BytesIO()
    photo.save(file, format="JPEG", exif=exif, comment=b"SECRET COMMENT", icc_profile=b"SECRET PROFILE")
    return file.getvalue()
