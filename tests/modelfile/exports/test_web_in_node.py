"""The exported code in Node: resizing to Pillow's bit, and the examples of docs/web.md."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from fieldguide.images.decoding import open_image
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.exports import web
from fieldguide.prediction.predictor import load
from fieldguide.prediction.result import DecisionRule, TagDecisionRule
from web_made import MADE, run, runtime

RESIZE = """
import { readFileSync } from "node:fs";
import { squareOf } from "./page/resize.js";
const jobs = JSON.parse(readFileSync("jobs.json", "utf8"));
for (const { data, width, height, preprocessing, expected } of jobs) {
  const square = squareOf({ data: new Uint8Array(readFileSync(data)), width, height }, preprocessing);
  const wanted = readFileSync(expected);
  const wrong = wanted.findIndex((value, at) => value !== square[at]);
  if (wanted.length !== square.length || wrong !== -1) console.log(width, height, preprocessing, wrong);
}
"""
WAYS = (
    Preprocessing(224),
    Preprocessing(96, "crop"),
    Preprocessing(288, interpolation="bilinear"),
    Preprocessing(64, shrink="none"),
)


def jobs(folder):
    random = np.random.default_rng(0)
    sizes = [(1, 1), (1, 500), (500, 1), (2_000, 150), (224, 224), (223, 225), (897, 1_793), (37, 53)]
    for number, (width, height) in enumerate(sizes + random.integers(1, 700, (8, 2)).tolist()):
        for channels in (3, 4):
            pixels = random.integers(0, 256, (height, width, channels), dtype=np.uint8)
            if number % 2:  # black and white: where filters overshoot
                pixels[..., :3] = np.where(pixels[..., :3] > 127, 255, 0)
            data = folder / f"{number}-{channels}.raw"
            data.write_bytes(pixels.tobytes())
            for way, preprocessing in enumerate(WAYS):
                expected = folder / f"{number}-{channels}-{way}.raw"
                expected.write_bytes(preprocessing.resize(open_image(pixels)).tobytes())
                job = {"data": data.name, "expected": expected.name, "width": width, "height": height}
                yield job | {"preprocessing": preprocessing.as_dict()}


def test_images_of_any_size_become_the_square_that_pillow_makes(model, tmp_path):
    web.write(load_model_file(model), tmp_path / "page", MADE)
    (tmp_path / "jobs.json").write_text(json.dumps(list(jobs(tmp_path))))
    assert run(tmp_path, RESIZE) == ""


@pytest.mark.parametrize(
    ("task", "floor"),
    [
        ("single", None),
        ("single", 0.2),
        ("single", (0.2, 0.6, 0.0, 0.9)),
        ("multiple", None),
        ("multiple", 0.2),
    ],
)
def test_outputs_are_judged_as_by_fieldguide(model, tmp_path, task, floor):
    web.write(load_model_file(model), tmp_path / "page", MADE)
    classes, tags = ("a", "b", "c", "d"), np.float32([0.5, 0.3, 0.4, 0.3])
    common = {"classes": classes, "unknown_below": 0.01, "set_from": floor, "top": 3}
    stated = {"set": floor}
    if isinstance(floor, tuple):
        common["set_from"], stated = np.float32(floor), {"set": 0.2, "set_by_class": floor}
    rule = TagDecisionRule(**common, given_from=tags) if task == "multiple" else DecisionRule(**common)
    rows = np.random.default_rng(0).uniform(size=(40, 4)).astype(np.float32).round(1)
    expected = [rule(None, row, np.float32(row[0] / 50)) for row in rows]
    card = {
        "classes": classes,
        "task": task,
        "thresholds": {"unknown": 0.01, **stated, "tags": tags.tolist()},
    }
    code = f"""
import {{ judged }} from "./page/inference.js";
for (const row of {json.dumps(rows.tolist())}) {{
  const values = new Float32Array(row);
  console.log(JSON.stringify(judged({json.dumps(card)}, values, Math.fround(values[0] / 50), 3)));
}}
"""
    found = [json.loads(line) for line in run(tmp_path, code).splitlines()]
    assert [row["answer"] for row in found] == [answer.answer for answer in expected]
    assert [row["set"] for row in found] == [list(answer.set) for answer in expected]
    assert [row["unknown"] for row in found] == [answer.unknown for answer in expected]
    labels = [None if answer.labels is None else list(answer.labels) for answer in expected]
    assert [row.get("labels") for row in found] == labels


def examples(page):
    """The blocks marked ``js`` of a page of docs/."""
    text = (Path(__file__).parents[3] / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"^```js\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_example_for_node_runs(model, tmp_path):
    (example,) = [text for text in examples("web.md") if "readFile" in text]
    pixels = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    (tmp_path / "photo.rgb").write_bytes(pixels.tobytes())
    web.write(load_model_file(model), tmp_path / "page", runtime(), "float32")
    (expected,) = load(model).predict([pixels])
    assert run(tmp_path, example).split()[:2] == [expected.answer, f"{expected.probability:.3f}"]


def test_what_cannot_be_answered_is_refused(model, tmp_path):
    web.write(load_model_file(model), tmp_path / "page", runtime(), "float32")
    code = """
import { load, RefusedInput } from "./page/fieldguide.js";
const model = await load();
for (const source of [{ data: new Uint8Array(5), width: 1, height: 1 }, new Blob(["x"]), null]) {
  try {
    await model.predict(source);
  } catch (error) {
    console.log(error instanceof RefusedInput, error.code);
  }
}
await model.close();
"""
    assert run(tmp_path, code).split() == ["true", "wrong_type"] * 3
