"""A page on a graphics processor, which Chromium imitates: taken only where it helps, left when it fails."""

import importlib.resources
import json
import subprocess

import pytest

from fieldguide.errors import OptionError
from fieldguide.evaluation.web_runner import node
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
AT_ONCE = """
let [inside, most, failing] = [0, 0, false];
async function alone(answer) {
  most = Math.max(most, ++inside);
  await new Promise((done) => setTimeout(done, 5));
  inside--;
  return answer;
}
const requestAdapter = () => alone(null);
Object.defineProperty(globalThis, "navigator", { value: { gpu: { requestAdapter } }, configurable: true });
const { Classifier } = await import(process.argv[1]);
const made = { Tensor: class { constructor(type, data) { this.data = data; } } };
const answer = (value) => ({ probabilities: { data: [value] }, typicality: { data: [1] } });
const cpu = { run: async ({ image }) => answer(image.data[0]), release: async () => {} };
const session = {
  run: async ({ image }) => {
    await alone();
    if (failing) throw new Error("device lost");
    return answer(image.data[0] + 100);
  },
  release: () => alone(),
};
const card = { exported: { gpu: true }, preprocessing: { size: 1 } };
const model = new Classifier(made, cpu, card, null);
model.square = async (source) => source;
const asked = await Promise.all([model.accelerate(), model.accelerate(true)]);
model.gpu = { ort: made, session };
const one = async (value) => (await model.outputs([value])).probabilities[0];
const all = () => Promise.all([1, 2, 3].map(one));
const before = await all();
failing = true;
const after = await all();
const left = model.gpu === null;
[failing, model.gpu] = [false, { ort: made, session }];
await Promise.all([model.outputs([1]), model.release()]);
console.log(JSON.stringify({ most, asked: asked.map(({ reason }) => reason), before, after, left }));
"""


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


def test_photos_at_once_are_answered_one_after_another():
    """Of two calls at once, ONNX Runtime Web for WebGPU never answers one."""
    package = importlib.resources.files("fieldguide.modelfile.exports")
    script = package.joinpath("web_files", "inference.js")
    try:
        program = node()
    except OptionError as error:
        pytest.skip(str(error))
    command = [program, "--input-type=module", "--eval", AT_ONCE, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == {
        "most": 1,
        "asked": ["this browser offers no graphics processor"] * 2,
        "before": [101, 102, 103],
        "after": [1, 2, 3],
        "left": True,
    }


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
