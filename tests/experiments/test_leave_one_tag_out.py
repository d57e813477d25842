"""Each tag left out once: what counts are photos without any other."""

import dataclasses
import json

import numpy as np
import pytest

import fieldguide
from fieldguide import cli
from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.errors import DataError
from fieldguide.experiments.leave_one_class_out import leave_one_class_out
from fieldguide.experiments.leave_one_tag_out import left_out_tag
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Options, Run
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import EITHER
from tags_made import tags_of, write_tagged

PHOTOS = 64


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_tagged(tmp_path_factory.mktemp("tagged"), PHOTOS)


@pytest.fixture
def tagged(table):
    with open_dataset(table, tasks=EITHER) as opened:
        yield opened


@pytest.fixture
def given(tiny_hub, cache_of_the_tests):
    return Options("test_efficientnet", settings={"shrinkage": 0.8}), Run(cache=cache_of_the_tests)


def test_what_counts_are_photos_with_this_tag_alone(tagged, given, monkeypatch):
    learned, real = [], linear_probe.fit
    monkeypatch.setattr(linear_probe, "fit", lambda data, *rest: learned.append(data) or real(data, *rest))
    one, choices = left_out_tag(tagged, "red", *given)
    alone = [number for number in range(PHOTOS) if tags_of(number) == ["red"]]
    having = [number for number in range(PHOTOS) if "red" in tags_of(number)]
    assert (one.n, one.with_others, one.known) == (len(alone), len(having) - len(alone), PHOTOS - len(having))
    (data,) = learned
    assert "red" not in data.classes and len(data) == PHOTOS - len(having)
    assert choices and set(dict(one.taken_for)) <= {"green", "blue"}
    assert one.tagged.value <= one.miss_rate.value


def test_photos_of_which_it_is_not_known_are_not_learned_from(tagged, given, monkeypatch):
    learned, real = [], linear_probe.fit
    monkeypatch.setattr(linear_probe, "fit", lambda data, *rest: learned.append(data) or real(data, *rest))
    tags = (Tags((), ("red",)), *tagged.tags[1:])  # the first photo has none
    left_out_tag(dataclasses.replace(tagged, tags=tags), "red", *given)
    assert len(learned[0]) == PHOTOS // 2 - 1


def test_a_tag_that_is_never_alone_is_said(tagged, given):
    tags = tuple(Tags.of((*one.present, "any")) if one.present else one for one in tagged.tags)
    with pytest.raises(DataError, match=r"56 photos have this tag, each beside others"):
        left_out_tag(dataclasses.replace(tagged, tags=tags), "any", *given)
    found = leave_one_class_out(dataclasses.replace(tagged, tags=(*tags[:8], *tagged.tags[8:])), *given)
    assert sorted(one.label for one in found.classes) == ["blue", "green", "red"]
    assert found.not_applicable["any"].startswith("7 photos have this tag")


def test_a_tag_without_which_one_is_left_is_said(tagged, given):
    tags = tuple(Tags(("red",)) if row % 2 else Tags(("blue", "red")[:1]) for row in range(len(tagged)))
    with pytest.raises(DataError, match=r"two tags must be left on photos without it.*got 'blue'"):
        left_out_tag(dataclasses.replace(tagged, tags=tags), "red", *given)


def test_two_tags_are_too_few(given):
    data = Dataset("d", ("a", "b"), ("", ""), tags=(Tags(("x",)), Tags(("y",))))
    with pytest.raises(DataError, match=r"leaving a tag out needs three tags.* MODEL DATA --foreign PHOTOS"):
        leave_one_class_out(data, *given)


def test_the_function_and_the_command_say_the_same(table, tiny_hub, tmp_path, capsys):
    result = fieldguide.novelty(table, backbone="test_efficientnet", progress=False)
    answer = result.as_dict()
    assert [one["label"] for one in answer["classes"]] == [one.label for one in result.classes]
    assert {"tagged", "with_others"} <= answer["classes"][0].keys()
    assert repr(result).startswith("3 tags, each left out once")
    assert "photos without any other tag" in repr(result) and "given a tag" in repr(result)
    assert "3 tags, each left out once" in result._repr_html_()
    assert result.to_pandas()["tagged"].tolist() == [one.tagged.value for one in result.classes]
    out = tmp_path / "n.json"
    code = cli.main(["novelty", str(table), "--backbone", "test_efficientnet", "--json", str(out)])
    assert code == 0 and json.loads(out.read_text()) == answer
    assert np.isfinite(answer["mean_auroc"])
