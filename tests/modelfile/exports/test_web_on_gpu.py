"""A page on a graphics processor, which Chromium imitates: taken only where it helps, left when it fails."""

import pytest

from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.exports import web
from layered_model import write_layered_model
from web_made import runtime, served
from web_opened import browser, opened

IMITATED = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan,WebGPU")
BOTH = """async ([worker, force]) => {
  const { load } = await import("./fieldguide.js");
  const model = await load("./", { worker });
  const data = new Uint8Array(60 * 40 * 3).map((_, place) => (place * 7) % 251);
  const pixels = { data, width: 60, height: 40 };
  const before = await model.predict(pixels);
  const which = await model.accelerate({ force });
  const after = await model.predict(pixels);
  await model.close();
  return { before, which, after };
}"""
FAILING = """async (how) => {
  const { Classifier } = await import("./inference.js");
  const model = await Classifier.create(new URL("./", location.href));
  const pixels = { data: new Uint8Array(60 * 40 * 3).fill(99), width: 60, height: 40 };
  const before = await model.predict(pixels);
  const which = await model.accelerate(true);
  if (which.processor === "gpu") {
    model.gpu.session.run = async () => {
      if (how === "lost") throw new Error("device lost");
      return { probabilities: { data: [NaN] }, typicality: { data: [1] } };
    };
  }
  const after = await model.predict(pixels);
  return { before, which, after, left: model.gpu === null };
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("page")
    model = write_layered_model(place / "model.onnx")
    web.write(load_model_file(model), place / "page", runtime(gpu=True), "float32")
    return place / "page"


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as url:
        yield url


@pytest.fixture(scope="module")
def imitating():
    with browser(*IMITATED) as started:
        yield started


@pytest.mark.parametrize("worker", [True, False])
def test_its_answers_are_those_of_the_processor(imitating, address, worker):
    with opened(imitating, address) as page:
        if not page.evaluate("navigator.gpu?.requestAdapter().then((found) => found !== null)"):
            pytest.skip("this Chromium imitates no graphics processor")
        found = page.evaluate(BOTH, [worker, True])
        assert found["which"] == {"processor": "gpu", "reason": ""}
        assert found["after"]["label"] == found["before"]["label"]
        assert abs(found["after"]["probability"] - found["before"]["probability"]) < 1e-4
        assert abs(found["after"]["typicality"] - found["before"]["typicality"]) < 1e-4


def test_an_imitated_one_is_not_taken_by_itself(imitating, address):
    with opened(imitating, address) as page:
        page.wait_for_selector("html[data-processor]", state="attached")
        assert page.get_attribute("html", "data-processor") == "cpu"
        told = page.locator("#about dd").last.text_content()
        assert told.startswith("the processor, since this browser ")
        assert page.evaluate(BOTH, [True, False])["which"]["processor"] == "cpu"


def test_without_one_the_page_answers_as_before(imitating, address):
    with opened(imitating, address) as page:
        page.evaluate("Object.defineProperty(navigator, 'gpu', { value: undefined })")
        found = page.evaluate(BOTH, [False, True])
        assert found["which"] == {"processor": "cpu", "reason": "this browser offers no graphics processor"}
        assert found["after"] == found["before"]


@pytest.mark.parametrize("how", ["lost", "no number"])
def test_one_that_fails_is_left_and_the_photo_answered_all_the_same(imitating, address, how):
    with opened(imitating, address) as page:
        found = page.evaluate(FAILING, how)
        if found["which"]["processor"] == "cpu":
            pytest.skip(found["which"]["reason"])
        assert found["left"] and found["after"] == found["before"]


def test_one_that_answers_otherwise_is_refused(imitating, address):
    with opened(imitating, address) as page:
        found = page.evaluate(
            """async () => {
              const { Classifier } = await import("./inference.js");
              const model = await Classifier.create(new URL("./", location.href));
              const run = model.session.run.bind(model.session);
              model.session.run = async (...given) => {
                const { probabilities, typicality } = await run(...given);
                return { probabilities: { data: probabilities.data.map((one) => one / 2) }, typicality };
              };
              return [await navigator.gpu?.requestAdapter(), await model.accelerate(true)];
            }"""
        )
        if found[0] is None:
            pytest.skip("this Chromium imitates no graphics processor")
        assert found[1]["processor"] == "cpu" and found[1]["reason"].startswith("its answers differ by ")


def test_a_page_exported_without_it_says_so(imitating, tmp_path):
    model = write_layered_model(tmp_path / "model.onnx")
    web.write(load_model_file(model), tmp_path / "page", runtime(), "float32")
    with served(tmp_path / "page") as url, opened(imitating, url) as page:
        found = page.evaluate(BOTH, [True, True])
        assert found["which"] == {"processor": "cpu", "reason": "this page was exported without --gpu"}
