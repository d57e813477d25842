"""An exported page as somebody uses it: in a real Chromium with a fake camera, with and without a network."""

import base64
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from fieldguide.images.decoding import open_image
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.exports import web
from fieldguide.prediction.predictor import load
from layered_model import write_layered_model
from odd_photos import encoded, noise, photo, readable, refused
from tiny_model import write_tiny_model
from web_made import runtime, served
from web_opened import PATIENCE, opened, text_of

PAYLOADS = (
    "<img src=x onerror=alert(1)>",
    "</bdi><script>alert(2)</script>",
    "\"'><svg onload=alert(3)>\u202egpj\x07",
)
SQUARE = """async ([data, preprocessing]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const { squareFrom } = await import("./decode.js");
  try {
    const square = await squareFrom(new File([bytes], "a file"), preprocessing);
    let text = "";
    for (const value of square) text += String.fromCharCode(value);
    return { square: btoa(text) };
  } catch (error) {
    return { code: error.code, message: error.message };
  }
}"""
ANSWER = """async ([data, name]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const { load } = await import("./fieldguide.js");
  globalThis.kept ??= await load();
  return globalThis.kept.predict(new File([bytes], name), { top: 3 });
}"""
GIVE = """([data, name, kind]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const given = new DataTransfer();
  if (data) given.items.add(new File([bytes], name));
  const about = { bubbles: true, cancelable: true };
  const event = kind === "paste" ? new ClipboardEvent(kind, { ...about, clipboardData: given })
    : new DragEvent(kind, { ...about, dataTransfer: given });
  document.body.dispatchEvent(event);
}"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_layered_model(tmp_path_factory.mktemp("model") / "model.onnx")


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    place = tmp_path_factory.mktemp("page") / "page"
    web.write(load_model_file(model), place, runtime(), "float32")
    return place


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as url:
        yield url


@pytest.fixture(scope="module")
def page(chromium, address):
    with opened(chromium, address) as page:
        yield page


@pytest.mark.parametrize("name", sorted(readable()))
def test_a_browser_sees_the_pixels_that_fieldguide_sees(page, model, name):
    data, preprocessing = readable()[name], load_model_file(model).preprocessing
    found = page.evaluate(SQUARE, [text_of(data), preprocessing.as_dict()])
    expected = preprocessing.resize(open_image(data))
    square = np.frombuffer(base64.b64decode(found["square"]), np.uint8).reshape(expected.shape)
    np.testing.assert_array_equal(square, expected)


@pytest.mark.parametrize("name", sorted(refused()))
def test_what_cannot_be_read_is_refused_with_the_code_that_fieldguide_gives(page, name):
    data, code = refused()[name]
    found = page.evaluate(SQUARE, [text_of(data), {"size": 16, "mode": "squash", "interpolation": "bicubic"}])
    assert found.get("code") == code, found
    assert found["message"][0].isupper() and found["message"].endswith(".")


def test_its_answers_are_those_of_predict(page, model):
    whole = load(model)
    for name, data in readable().items():
        if name in ("large.jpg", "wide.jpg"):
            continue  # `predict` may decode large JPEGs at a smaller scale
        found, (expected,) = page.evaluate(ANSWER, [text_of(data), name]), whole.predict([data], top=3)
        assert found["label"] == expected.label, name
        assert found["unknown"] == expected.unknown and found["answer"] == expected.answer
        assert tuple(found["set"]) == expected.set
        assert [one["label"] for one in found["top"]] == [label for label, _ in expected.top]
        shares = [one["probability"] for one in found["top"]]
        np.testing.assert_allclose(shares, [share for _, share in expected.top], atol=1e-4)
        assert abs(found["typicality"] - expected.typicality) < 1e-4


def test_pixels_and_elements_are_answered_like_files(page, model):
    pixels = noise(60, 40)
    data = encoded(open_image(pixels), "PNG")
    answers = page.evaluate(
        """async ([data, pixels]) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const { load } = await import("./fieldguide.js");
          const own = await load("./", { worker: false });
          const image = new Image();
          image.src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
          await image.decode();
          const raw = { data: new Uint8Array(pixels), width: 60, height: 40 };
          const sources = [image, await createImageBitmap(image), raw];
          const answers = [];
          for (const source of sources) answers.push(await own.predict(source));
          await own.close();
          return answers;
        }""",
        [text_of(data), pixels.reshape(-1).tolist()],
    )
    (expected,) = load(model).predict([pixels])
    for answer in answers:
        assert answer["label"] == expected.label
        assert abs(answer["probability"] - expected.probability) < 1e-4


def test_photos_are_chosen_dropped_and_pasted(chromium, address, model):
    data = encoded(photo(), "PNG")
    (expected,) = load(model).predict([data])
    answer = "None of these" if expected.unknown else expected.label
    with opened(chromium, address) as page:
        page.set_input_files("#choose", [{"name": "chosen.png", "mimeType": "", "buffer": data}] * 2)
        page.evaluate(GIVE, [text_of(data), "dropped.png", "drop"])
        page.evaluate(GIVE, [text_of(data), "pasted.png", "paste"])
        page.locator("article .headline").nth(3).wait_for()
        assert page.locator("article h2").all_inner_texts() == [answer] * 4
        names = page.locator("figcaption").all_inner_texts()
        assert names == ["pasted.png", "dropped.png", "chosen.png", "chosen.png"]
        page.evaluate(GIVE, ["", "", "paste"])
        assert "holds no picture" in page.inner_text("#status")
        page.evaluate(GIVE, [text_of(b"no image"), "letter.txt", "drop"])
        page.locator("article.refused").wait_for()
        assert "The file is not an image" in page.inner_text("article.refused")
        page.click("#clear")
        assert page.locator("article").count() == 0


def test_the_camera_is_answered_live_and_a_picture_is_kept(chromium, address):
    with opened(chromium, address) as page:
        page.click("#camera")
        page.locator("#speed[data-rate]").wait_for(state="attached")
        page.locator(".stage .headline").wait_for()
        page.click("#keep")
        page.locator("article .headline").wait_for()
        assert "camera" in page.inner_text("figcaption")
        page.click("#camera")
        assert page.locator("#live").is_hidden()
        assert page.evaluate("() => document.querySelector('video').srcObject") is None


def test_without_a_camera_it_says_so(chromium, address):
    with opened(chromium, address) as page:
        page.evaluate(
            """() => {
              const none = new DOMException("", "NotFoundError");
              navigator.mediaDevices.getUserMedia = () => Promise.reject(none);
            }"""
        )
        page.click("#camera")
        page.locator("#status.wrong").wait_for()
        assert "No camera was found" in page.inner_text("#status")


def test_it_works_without_a_network_after_the_first_visit(chromium, model, folder):
    data = encoded(photo(), "PNG")
    with served(folder) as url, opened(chromium, url) as page:
        page.wait_for_selector("html[data-offline]", state="attached")
        context = page.context
        context.set_offline(True)
        page.close()
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector("html[data-ready]", state="attached")
        page.set_input_files("#choose", {"name": "a.png", "mimeType": "", "buffer": data})
        page.locator("article .headline").wait_for()
        (expected,) = load(model).predict([data])
        assert page.inner_text("article h2") == ("None of these" if expected.unknown else expected.label)


def test_names_of_strangers_are_text(chromium, tmp_path):
    hostile = write_tiny_model(tmp_path / "hostile.onnx", classes=list(PAYLOADS), limits=list(PAYLOADS))
    web.write(load_model_file(hostile), tmp_path / "page", runtime())
    with served(tmp_path / "page") as url, opened(chromium, url) as page:
        for colour in ((250, 20, 20), (20, 250, 20), (20, 20, 250)):
            data = encoded(open_image(np.full((9, 9, 3), colour, np.uint8)), "PNG")
            page.set_input_files("#choose", {"name": PAYLOADS[0], "mimeType": "", "buffer": data})
        page.locator("article .headline").nth(2).wait_for()
        page.click("summary")
        assert page.locator("article script, article svg, dd img, dd script, dd svg").count() == 0
        assert page.locator("article img").count() == 3  # the photos
        labels = page.locator("article h2").all_inner_texts()
        assert labels == ["\"'><svg onload=alert(3)>\\u{202e}gpj\\u{7}", PAYLOADS[1], PAYLOADS[0]]
        assert page.locator("figcaption").first.inner_text() == PAYLOADS[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 400])
def test_it_fits_a_phone_and_a_desk(chromium, address, width, scheme):
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    with opened(chromium, address, **options) as page:
        page.set_input_files(
            "#choose", {"name": "a" * 200, "mimeType": "", "buffer": encoded(photo(), "PNG")}
        )
        page.locator("article .headline").wait_for()
        page.click("summary")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        colours = page.evaluate(
            """() => {
              const { color, backgroundColor } = getComputedStyle(document.body);
              return [color, backgroundColor];
            }"""
        )
        bright = [sum(map(int, one.removeprefix("rgb(").removesuffix(")").split(","))) for one in colours]
        assert (bright[0] > bright[1]) == (scheme == "dark")


def test_everything_is_reached_by_keyboard(chromium, address):
    with opened(chromium, address) as page:
        page.set_input_files("#choose", {"name": "a.png", "mimeType": "", "buffer": encoded(photo(), "PNG")})
        page.locator("article .headline").wait_for()
        page.evaluate("() => document.activeElement.blur()")
        reached = []
        for _ in range(4):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.tagName"))
        assert reached == ["choose", "camera", "clear", "SUMMARY"]
        page.keyboard.press("Enter")
        assert page.locator("#about").is_visible()


def test_tags_are_all_named(chromium, tmp_path):
    tags = Path(__file__).parents[2] / "golden" / "tags.onnx"
    web.write(load_model_file(tags), tmp_path / "page", runtime())
    data = encoded(photo(), "PNG")
    (expected,) = load(tags).predict([data])
    with served(tmp_path / "page") as url, opened(chromium, url) as page:
        page.set_input_files("#choose", {"name": "a.png", "mimeType": "", "buffer": data})
        page.locator("article .headline, article .chips").first.wait_for()
        assert page.inner_text("#classes").startswith("Any of")
        given = page.locator("article .given bdi").all_inner_texts()
        others = page.locator("article .may bdi").all_inner_texts()
        if expected.unknown:
            assert page.inner_text("article h2") == "None of these"
            assert (given, others) == ([], list(dict.fromkeys((*expected.labels, *expected.set))))
        else:
            assert given == list(expected.labels)
            assert others == [name for name in expected.set if name not in expected.labels]


def test_the_example_for_a_page_of_ones_own_runs(chromium, folder, model, tmp_path):
    text = (Path(__file__).parents[3] / "docs" / "web.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```html\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "index.html").write_text(example, encoding="utf-8")
    shutil.copytree(folder, tmp_path / "page")
    (expected,) = load(model).predict([encoded(photo(), "PNG")])
    with served(tmp_path) as url:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(url)
        until = time.monotonic() + PATIENCE / 1000
        while not page.inner_text("#label"):  # it listens as soon as it has loaded
            assert time.monotonic() < until
            page.set_input_files(
                "#photo", {"name": "a.png", "mimeType": "", "buffer": encoded(photo(), "PNG")}
            )
            time.sleep(0.5)
        assert page.inner_text("#label") == f"{expected.answer} ({round(100 * expected.probability)} %)"
        context.close()


@pytest.mark.parametrize(
    ("name", "told"),
    [("model.onnx", "damaged or belongs to another export"), ("card.json", "cannot be loaded (404)")],
)
def test_a_folder_that_is_not_whole_is_told(chromium, folder, tmp_path, name, told):
    place = tmp_path / "page"
    place.mkdir()
    for path in folder.rglob("*.*"):
        target = place / path.relative_to(folder)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    if name == "card.json":
        (place / name).unlink()
    else:
        content = (place / name).read_bytes()
        (place / name).write_bytes(content[:-200] + bytes(1) + content[-199:])
    with served(place) as url:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(url)
        page.locator("#status.wrong").wait_for(timeout=PATIENCE)
        assert page.inner_text("#status").startswith("The model cannot be loaded.")
        assert told in page.inner_text("#status")
        context.close()
