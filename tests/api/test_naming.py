"""`fieldguide.zero_shot`: one name or several, one path or several."""

from pathlib import Path

import pytest

from fieldguide.api import naming


@pytest.fixture
def asked(monkeypatch):
    seen = []
    monkeypatch.setattr(naming, "make", seen.append)
    return seen


def test_texts_and_lists_mean_the_same(asked):
    naming.zero_shot("e/", classes="oak, ash", out="m.onnx", prompt="a {}", photos="new")
    naming.zero_shot(
        Path("e"), classes=["oak", "ash"], out=Path("m.onnx"), prompt=["a {}"], photos=[Path("new")]
    )
    one, other = asked
    assert one.classes == other.classes == ["oak", "ash"]
    assert one.prompts == other.prompts == ("a {}",) and one.photos == other.photos == ("new",)
    assert one.out == other.out == Path("m.onnx") and one.labelled is None and one.seed == 0


def test_nothing_given_is_nothing_asked(asked):
    naming.zero_shot("e/", classes=["oak", "ash"], out="m.onnx")
    (wanted,) = asked
    assert wanted.prompts == () and wanted.photos == ()
