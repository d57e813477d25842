"""From a body to its images: what is not as documented is said, and nothing is fetched."""

import base64
import io
import json

import httpx
import pytest

from answers_made import error_of
from fieldguide.server.bodies import MOST_NAMES, checked, from_base64, images_in, sentence_of
from fieldguide.server.problems import Problem
from fieldguide.server.schemas import PredictRequest
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


def in_json(*images):
    return json.dumps({"images": [base64.b64encode(image).decode() for image in images]}).encode()


def test_images_in_json_come_out_as_they_went_in():
    given = [b"", b"one", photo(RED)]
    assert images_in("application/json; charset=utf-8", in_json(*given), most=3) == given
    with pytest.raises(Problem, match="a request has 1 to 2 images; this one has 3"):
        images_in("application/json", in_json(*given), most=2)


def test_items_and_names_are_counted_before_anything_is_made_of_them():
    body = in_json(*[b"x"] * 9)  # eight commas, a list and an object
    assert len(checked(PredictRequest, body, most=10).images) == 9
    with pytest.raises(Problem, match="more than the 9 items or 200 names"):
        checked(PredictRequest, body, most=9)
    for names, told in ((MOST_NAMES, "does not match"), (MOST_NAMES + 1, "or 200 names that are read")):
        with pytest.raises(Problem, match=told):
            checked(PredictRequest, json.dumps(dict.fromkeys(map(str, range(names)))).encode(), most=10_000)


def test_objects_in_lists_are_counted_too():
    with pytest.raises(Problem, match="more than the 4 items"):
        checked(PredictRequest, b'{"images": [{}, {}]}', most=4)
    with pytest.raises(Problem, match=r"images\.0: Input should be a valid string"):
        checked(PredictRequest, b'{"images": [{}, {}]}', most=5)


def test_three_mistakes_are_named_and_the_others_counted():
    mistakes = [{"loc": ("images", place), "msg": f"wrong {place}"} for place in range(5)]
    begin = "the request does not match /openapi.json: "
    three = "images.0: wrong 0; images.1: wrong 1; images.2: wrong 2"
    assert sentence_of(mistakes[:3]) == begin + three
    assert sentence_of(mistakes) == begin + three + " (and 2 more)"
    assert sentence_of([{"loc": (), "msg": "no JSON"}]) == begin + "body: no JSON"


def test_a_long_mistake_is_cut_off():
    begin = "the request does not match /openapi.json: "
    assert sentence_of([{"loc": ("x",), "msg": "y" * 9000}]) == begin + "x: " + "y" * 597
    long = sentence_of([{"loc": ("n" * 99, *"abcdefg"), "msg": "m"}])
    assert long == begin + "n" * 40 + ".a.b.c.d.e: m"


@pytest.mark.parametrize("text", ["AAAA=", "AAAA==", "AAA", "AA==AA==", "AAAA\n", "data:,AAAA", "Ää=="])
def test_what_only_looks_like_base64_is_refused(text):
    with pytest.raises(Problem, match=r"images.7: must be standard base64 with padding") as caught:
        from_base64(text, "images.7")
    assert caught.value.code == "malformed"


def test_the_boundary_must_be_named():
    with pytest.raises(Problem, match="must name its boundary"):
        images_in("multipart/form-data", form((FILE, b"x")), most=1)
    assert images_in("multipart/form-data; boundary=b", form((FILE, b"x")), most=1) == [b"x"]
    with pytest.raises(Problem, match="at most 1 images"):
        images_in("multipart/form-data; boundary=b", form((FILE, b"x"), (FILE, b"y")), most=1)
