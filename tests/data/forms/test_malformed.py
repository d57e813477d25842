"""Every form, gone wrong at random: a sentence or a refusal, never a traceback, never a file outside."""

import json
import math
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms import FORMS
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from fieldguide.images.formats import IMAGE_SUFFIXES
from form_samples import MORE_SAMPLES, SAMPLES
from form_samples_published import PUBLISHED_SAMPLES
from mutation import mutated

WAYS = [
    (form, sample)
    for form in FORMS
    for sample in ((SAMPLES | PUBLISHED_SAMPLES)[form], *MORE_SAMPLES.get(form, ()))
]
WRONG = [
    *(None, True, -1, 0, 1.5, math.nan, -math.inf, 10**40, "", "\0", "\ud800", "../../x.jpg", "/etc/passwd"),
    *("a" * 5000, "a/" * 3000, [], {}, [[]], {"a": {}}, [None], [7, "x"], "1e999", "cat"),
]
DEEP = ("[" * 200_000, '{"a":' * 100_000, "9" * 5000, '[{"data":' * 9)


def nodes(value, found=None):
    """Every place in a JSON value, as the container and the key there."""
    found = [] if found is None else found
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found.append((value, key))
        nodes(value[key], found)
    return found


def wrong_json(text, chance):
    value = json.loads(text)
    for _ in range(chance.randint(1, 4)):
        places = nodes(value)
        if not places:
            break
        container, key = chance.choice(places)
        action = chance.randrange(4)
        if action == 0:
            del container[key]
        elif action == 1 and isinstance(container, list):
            container.append(container[key])
        elif action == 2:
            container[key] = {"x": container[key]} if chance.randrange(2) else [container[key]]
        else:
            container[key] = json.loads(json.dumps(chance.choice(WRONG)))
    return json.dumps(value)


def wrong_cells(text, chance):
    lines = text.split("\n")
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(lines))
        cells = lines[place].split(",")
        cells[chance.randrange(len(cells))] = str(chance.choice(WRONG)).encode("utf-8", "replace").decode()
        lines[place] = ",".join(cells)
    return "\n".join(lines)


def spoil(file, others, chance):
    content = file.read_bytes()
    kind = chance.randrange(4)
    if not content:
        return
    if file.suffix == ".json" and kind < 2:
        file.write_text(wrong_json(content.decode(), chance))
    elif file.suffix in (".json", ".xml", ".yaml") and kind == 2:
        file.write_text(chance.choice(DEEP))
    elif file.suffix in (".csv", ".txt", ".xml", ".yaml") and kind < 2:
        file.write_text(wrong_cells(content.decode(), chance))
    else:
        file.write_bytes(mutated(content, chance.choice(others).read_bytes(), chance))


def check_one(made, copy, form, chance):
    shutil.copytree(made, copy)
    try:
        files = sorted(path for path in copy.rglob("*") if path.is_file())
        notes = [path for path in files if path.suffix.lower() not in IMAGE_SUFFIXES] or files
        whole = [path for path in files if path.stat().st_size]
        for file in chance.sample(notes, min(len(notes), chance.randint(1, 2))):
            spoil(file, whole, chance)
            whole = [path for path in whole if path.stat().st_size]
        options = DataOptions(form=chance.choice([form, None]))
        given = chance.choice([copy, chance.choice(notes)])
        try:
            with open_dataset(given, options=options, minimum_classes=1) as dataset:
                roots = {os.path.realpath(copy), os.path.realpath(dataset.root)}
                assert all(os.path.realpath(path).startswith(tuple(roots)) for path in dataset.paths)
                assert all(Path(path).is_file() for path in dataset.paths)
        except DataError as error:
            assert len(str(error)) < 20_000
    finally:
        shutil.rmtree(copy)


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: f"{way[0]}-{way[1].__name__}")
def made(request, tmp_path_factory):
    form, sample = request.param
    folder = tmp_path_factory.mktemp("made") / "data"
    folder.mkdir()
    sample(folder)
    return form, folder


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=SLOW)
@given(chance=st.randoms(use_true_random=False))
def test_what_went_wrong_is_a_sentence(made, tmp_path, chance):
    check_one(made[1], tmp_path / "copy", made[0], chance)


@pytest.mark.long
@settings(max_examples=600, deadline=None, suppress_health_check=SLOW)
@given(chance=st.randoms(use_true_random=True))
def test_what_went_wrong_is_a_sentence_often(made, tmp_path, chance):
    check_one(made[1], tmp_path / "copy", made[0], chance)
