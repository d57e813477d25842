"""The readers of a card in docs/everywhere.md say what fieldguide says."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from fieldguide.errors import OptionError
from fieldguide.evaluation.web_runner import node
from fieldguide.modelfile.artifact import seal
from fieldguide.modelfile.exports.conversion import export
from fieldguide.prediction.predictor import load
from layered_model import layered
from tiny_model import card, with_card

PAGE = Path(__file__).parents[3] / "docs" / "everywhere.md"
GSON = ".m2/repository/com/google/code/gson/gson/*/gson-*.jar"
"""Where Maven keeps it below the home folder."""
ROWS = [
    [[0.9, 0.06, 0.04], 0.5],
    [[0.04, 0.9, 0.06], 0.009],
    [[1 / 3, 1 / 3, 1 / 3], 0.01],  # the threshold itself, and a tie
    [[0.05, 0.05, 0.9], 1.0],
]


def example(language):
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return text


def expected(model):
    rule = load(model).judge(1)
    for probabilities, typicality in ROWS:
        found = rule(None, np.float32(probabilities), np.float32(typicality))
        yield found.answer, list(found.set)


def said(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2_000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(params=[None, [0.5, 0.03, 0.2]], ids=["one threshold", "one a class"])
def model(request, tmp_path):
    """Model files with one threshold for prediction sets, and with one a class."""
    by_class = {} if request.param is None else {"set_by_class": request.param}
    stated = card()["thresholds"] | {"set": 0.05} | by_class
    path = tmp_path / "model.onnx"
    path.write_bytes(seal(with_card(layered(0)[0], card(thresholds=stated))))
    return path


def test_javascript(model, tmp_path):
    try:
        program = node()
    except OptionError as error:
        pytest.skip(str(error))
    export(model, "core", tmp_path / "core.onnx")
    code = (
        example("js")
        + f"""
for (const [probabilities, typicality] of {json.dumps(ROWS)}) {{
  console.log(JSON.stringify(answer(new Float32Array(probabilities), Math.fround(typicality))));
}}
"""
    )
    (tmp_path / "card.mjs").write_text(code, encoding="utf-8")
    found = [(row["label"], row["set"]) for row in said([program, "card.mjs"], tmp_path)]
    assert found == list(expected(model))


def test_java(model, tmp_path):
    gson = sorted(Path.home().glob(GSON))
    if shutil.which("java") is None or not gson:
        pytest.skip("needs Java 17 and Gson: mvn dependency:get -Dartifact=com.google.code.gson:gson:2.13.2")
    export(model, "core", tmp_path / "core.onnx")
    calls = "\n".join(
        f"System.out.println(new Gson().toJson(card.answer(new float[] {{{numbers}}}, {typicality}f)));"
        for numbers, typicality in (
            (", ".join(f"{share!r}f" for share in shares), typicality) for shares, typicality in ROWS
        )
    )
    imports, record = example("java").split("\n\n", 1)
    code = f"""{imports}
public class Try {{
public static void main(String[] words) throws Exception {{
Card card = Card.read(Path.of("core.json"));
{calls}
}}
}}
{record}"""
    (tmp_path / "Try.java").write_text(code, encoding="utf-8")
    found = said(["java", "-cp", str(gson[-1]), "Try.java"], tmp_path)
    assert found == [label for label, _ in expected(model)]
