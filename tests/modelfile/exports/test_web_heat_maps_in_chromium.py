"""Heat maps on an exported page, in a real Chromium: drawn as `explain` draws them, shown when asked for."""

import base64
import re
from pathlib import Path

import numpy as np
import pytest

from fieldguide.explanation.overlay import overlay
from fieldguide.explanation.portable_readout import portable_readout
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.exports import web
from fieldguide.prediction.predictor import load
from mapped_model import write_mapped_model
from odd_photos import encoded, photo
from web_made import runtime, served
from web_opened import PATIENCE, opened, text_of

HEAT = """async (data) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const { load } = await import("./fieldguide.js");
  const model = await load();
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([bytes(data)], { type: "image/png" }));
  await image.decode();
  const [heat] = await model.explain(new File([bytes(data)], "a.png"));
  const canvas = new OffscreenCanvas(1, 1);
  await model.overlay(heat, image, canvas);
  await model.close();
  const drawn = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let text = "";
  for (const value of drawn.data) text += String.fromCharCode(value);
  return { label: heat.label, width: drawn.width, height: drawn.height, pixels: btoa(text) };
}"""
PRESSED = (
    "() => [...document.querySelectorAll('.heat .row button')].map((one) => one.getAttribute('aria-pressed'))"
)


@pytest.fixture(scope="module")
def looking(tmp_path_factory):
    """An exported page of a model whose scores add up from places, and the model."""
    place = tmp_path_factory.mktemp("looking")
    model = write_mapped_model(place / "model.onnx")
    web.write(load_model_file(model), place / "page", runtime(), heat_maps=portable_readout)
    with served(place / "page") as url:
        yield url, model


@pytest.mark.parametrize("mode", ["squash", "crop"])
def test_a_heat_map_is_drawn_as_explain_draws_it(chromium, tmp_path, mode):
    model = write_mapped_model(tmp_path / "model.onnx", mode=mode)
    web.write(load_model_file(model), tmp_path / "page", runtime(), heat_maps=portable_readout)
    shown = photo().convert("RGB").resize((640, 480))
    with served(tmp_path / "page") as url, opened(chromium, url) as page:
        found = page.evaluate(HEAT, text_of(encoded(shown, "PNG")))
    explained = load(model).explain(shown)
    assert (found["label"], found["width"], found["height"]) == (explained.label, 640, 480)
    drawn = np.frombuffer(base64.b64decode(found["pixels"]), np.uint8).reshape(480, 640, 4)
    expected = np.asarray(overlay(shown, explained.map, explained.area)).astype(int)
    # The page interpolates a map linearly, Pillow with a cubic: a shade or a few between two cells.
    differences = np.abs(drawn[:, :, :3] - expected)
    assert differences.mean() < 3 and np.quantile(differences, 0.99) < 16
    assert (drawn[:, :, 3] == 255).all()


def test_where_the_model_looked_is_shown_by_keyboard(chromium, looking):
    address, model = looking
    data = encoded(photo(), "PNG")
    best, second = (label for label, _ in load(model).predict([data], top=2)[0].top)
    with opened(chromium, address) as page:
        page.set_input_files("#choose", {"name": "a.png", "mimeType": "", "buffer": data})
        button = page.locator("article .look")
        button.wait_for()
        assert page.locator(".heat").count() == 0
        button.focus()
        page.keyboard.press("Enter")
        page.locator(".heat canvas").wait_for()
        assert button.get_attribute("aria-expanded") == "true"
        assert page.locator(".heat .row button").all_inner_texts()[:2] == [best, second]
        assert page.evaluate(PRESSED)[:2] == ["true", "false"]
        assert f"Orange places speak for {best}" in page.inner_text(".heat")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate(PRESSED)[:2] == ["false", "true"]
        assert second in page.get_attribute(".heat canvas", "aria-label")
        button.press("Enter")
        assert page.locator(".heat").is_hidden()
        assert button.get_attribute("aria-expanded") == "false"
        button.press("Enter")
        assert page.locator(".heat canvas").is_visible()
        assert page.locator(".heat").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 400])
def test_a_heat_map_fits_a_phone_and_a_desk(chromium, looking, width, scheme):
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    with opened(chromium, looking[0], **options) as page:
        page.set_input_files("#choose", {"name": "a.png", "mimeType": "", "buffer": encoded(photo(), "PNG")})
        page.locator("article .look").click()
        page.locator(".heat canvas").wait_for()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        box = page.locator(".heat canvas").bounding_box()
        assert 200 < box["width"] <= width


def test_a_heat_map_is_shown_without_a_network(chromium, looking):
    with opened(chromium, looking[0]) as page:
        page.wait_for_selector("html[data-offline]", state="attached")
        page.context.set_offline(True)
        page.set_input_files("#choose", {"name": "a.png", "mimeType": "", "buffer": encoded(photo(), "PNG")})
        page.locator("article .look").click()
        page.locator(".heat canvas").wait_for()


def test_the_example_for_a_page_of_ones_own_runs(chromium, tmp_path):
    text = (Path(__file__).parents[3] / "docs" / "web.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```js\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (example,) = [one for one in examples if "overlay" in one]
    (tmp_path / "index.html").write_text(
        f"""<img src="photo.png"><canvas></canvas>
        <script type="module">
          import {{ load }} from "./page/fieldguide.js";
          const model = await load();
          await document.querySelector("img").decode();
          {example}
          document.documentElement.dataset.ready = heat.label;
        </script>""",
        encoding="utf-8",
    )
    data = encoded(photo(), "PNG")
    (tmp_path / "photo.png").write_bytes(data)
    model = write_mapped_model(tmp_path / "model.onnx")
    web.write(load_model_file(model), tmp_path / "page", runtime(), heat_maps=portable_readout)
    with served(tmp_path) as url:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector("html[data-ready]", state="attached", timeout=PATIENCE)
        (expected,) = load(model).predict([data])
        assert page.get_attribute("html", "data-ready") == expected.label
        assert page.evaluate("() => document.querySelector('canvas').width") == 640
        context.close()


def test_a_model_without_heat_maps_has_no_button_and_says_why(chromium, model, tmp_path):
    web.write(load_model_file(model), tmp_path / "page", runtime(), heat_maps=portable_readout)
    with served(tmp_path / "page") as url, opened(chromium, url) as page:
        page.set_input_files("#choose", {"name": "a.png", "mimeType": "", "buffer": encoded(photo(), "PNG")})
        page.locator("article .headline").wait_for()
        assert page.locator("article button").count() == 0
        page.click("summary")
        assert "none, since its scores are not added up from places" in page.inner_text("#about")


def test_a_heat_map_that_fails_says_so_and_may_be_asked_for_again(chromium, looking):
    with opened(chromium, looking[0]) as page:
        page.set_input_files("#choose", {"name": "a.png", "mimeType": "", "buffer": encoded(photo(), "PNG")})
        page.locator("article .look").wait_for()
        page.evaluate(
            """() => {
              const real = HTMLImageElement.prototype.decode;
              HTMLImageElement.prototype.decode = () => {
                HTMLImageElement.prototype.decode = real;
                return Promise.reject(new Error("it was not drawn"));
              };
            }"""
        )
        page.click("article .look")
        page.locator("article .wrong:not(:empty)").wait_for()
        assert page.inner_text("article .wrong") == "It was not drawn."
        assert page.get_attribute("article .look", "aria-expanded") == "false"
        page.click("article .look")
        page.locator(".heat canvas").wait_for()
        assert page.locator("article .wrong:not(:empty)").count() == 0
