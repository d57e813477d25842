"""From a body to its images: what is not as documented is said, and nothing is fetched."""

import io
import json

import httpx
import pytest

from answers_made import error_of
from server_made import RED, photo


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"{", "application/json", "malformed"),
        (b"", "application/json", "malformed"),
        (b"[" * 10_000 + b"]" * 10_000, "application/json", "malformed"),
        (b'{"images": NaN}', "application/json", "malformed"),
        (b'{"images": [1e400]}', "application/json", "malformed"),
        (b'{"images": []}', "application/json", "malformed"),
        (b'{"images": ["*"]}', "application/json", "malformed"),
        (b'{"images": ["AAA"]}', "application/json", "malformed"),
        (b'{"images": ["AAAA\\n"]}', "application/json", "malformed"),
        (b'{"images": ["AAAA="]}', "application/json", "malformed"),
        ('{"images": ["Ää=="]}'.encode(), "application/json", "malformed"),
        (b'{"images": ["http://127.0.0.1/photo.jpg"]}', "application/json", "malformed"),
        (b'{"images": ["AAAA"], "url": "x"}', "application/json", "malformed"),
        (b'{"images": {"b64": "AAAA"}}', "application/json", "malformed"),
        (json.dumps({"images": ["AAAA"] * 33}).encode(), "application/json", "malformed"),
        (b"x", "multipart/form-data", "malformed"),
        (b"x", "multipart/form-data; boundary=", "malformed"),
        (b"x", "multipart/form-data; boundary=" + "b" * 9000, "malformed"),
        (b"x", "multipart/form-data; boundary=b", "malformed"),
        (b"--b\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b", "malformed"),
        (b"--b--\r\n", "multipart/form-data; boundary=b", "malformed"),
        (photo(RED), "image/jpeg", "unsupported_media"),
        (b"images=x", "application/x-www-form-urlencoded", "unsupported_media"),
        (b"{}", ';;;="', "unsupported_media"),
    ],
)
def test_a_body_that_is_not_as_documented(server, body, kind, code):
    headers = {"Content-Type": kind}
    answer = httpx.post(f"{server.url}/v1/models/colours:predict", content=body, headers=headers)
    assert error_of(answer) == code
    assert answer.status_code in (400, 415)


def form(*parts):
    pieces = [b"--b\r\n" + head + b"\r\n\r\n" + data + b"\r\n" for head, data in parts]
    return b"".join(pieces) + b"--b--\r\n"


FILE = b'Content-Disposition: form-data; name="images"; filename="a.jpg"'


@pytest.mark.parametrize(
    "body",
    [
        form((b'Content-Disposition: form-data; name="other"; filename="a.jpg"', b"x")),
        form((b'Content-Disposition: form-data; name="images"', b"http://127.0.0.1/")),
        form(*[(FILE, b"x")] * 1001),
        form((FILE + b"\r\nX: " + b"y" * 100_000, b"x")),
        form((FILE + b"\r\nX: y" * 500, b"x")),
        form((FILE, b"x"))[:-4],
        form((FILE, b"x")).replace(b"--b", b"--c"),
    ],
)
def test_a_form_that_is_not_as_documented(server, body):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = httpx.post(f"{server.url}/v1/models/colours:predict", content=body, headers=headers)
    assert error_of(answer) == "malformed" and answer.status_code == 400


def test_names_of_files_reach_nothing(server):
    for name in (
        "../../etc/passwd",
        "..\\x",
        "\x00",
        "/abs",
        "//host/share",
        "<img onerror=1>.html",
        "a" * 3000,
    ):
        files = [("images", (name, photo(RED)))]
        answer = httpx.post(f"{server.url}/v1/models/colours:predict", files=files)
        assert answer.status_code == 200 and "passwd" not in answer.text and "<img" not in answer.text


def test_a_large_form_is_taken_apart_in_a_thread(server):
    file = io.BytesIO()
    from PIL import Image

    Image.effect_noise((900, 900), 100).convert("RGB").save(file, "PNG")
    assert len(file.getvalue()) > 600_000
    assert server.predict(file.getvalue()).json()["predictions"][0]["error"] is None
