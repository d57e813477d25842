"""One look at every image: facts, digests, refusals, and a cache that changes nothing."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from fieldguide.data import image_facts
from fieldguide.data.image_facts import FACTS, facts_of, measure


@pytest.fixture
def photos(tmp_path, paint):
    paths = [paint(tmp_path / f"{number}.png", (200, 60, 60), number) for number in range(6)]
    return [str(path) for path in paths]


def same(one, other):
    assert one.digests == other.digests
    for name in ("rows", "signatures", "facts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_what_was_seen_is_kept_by_content(photos, tmp_path, monkeypatch):
    first = facts_of(photos, cache=tmp_path / "cache")
    opened = []
    monkeypatch.setattr(image_facts, "open_for", lambda content, way: opened.append(content))
    same(first, facts_of(photos, cache=tmp_path / "cache"))
    assert opened == []
    monkeypatch.undo()
    same(first, facts_of(photos))


def test_without_its_library_nothing_is_kept(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(image_facts.importlib.util, "find_spec", lambda name: None)
    seen = facts_of(photos, cache=tmp_path / "cache")
    assert len(seen.rows) == 6
    assert not (tmp_path / "cache").exists()


def test_refused_files_leave_no_row(photos, tmp_path):
    (tmp_path / "1.png").write_bytes(b"")
    (tmp_path / "4.png").write_bytes(b"<html>")
    stages = []
    seen = facts_of(photos, progress=lambda *told: stages.append(told))
    assert seen.rows.tolist() == [0, 2, 3, 5]
    assert [(refusal.path, refusal.code) for refusal in seen.refused] == [
        (photos[1], "empty"),
        (photos[4], "not_an_image"),
    ]
    assert stages[-1] == ("looking", 6, 6)
    assert facts_of([]).facts.shape == (0, len(FACTS))


def test_names_that_promise_another_format_are_noted_also_from_the_cache(photos, tmp_path, paint):
    odd = paint(tmp_path / "odd.png", (60, 60, 200), 1)
    odd = odd.rename(tmp_path / "odd.jpg")
    for _ in range(2):
        seen = facts_of([photos[0], str(odd)], cache=tmp_path / "cache")
        assert [row for row, _ in seen.mismatches] == [1]
        assert "holds PNG" in seen.mismatches[0][1]


def facts(image):
    return dict(
        zip(FACTS, measure(image_facts.FACTS_PREPROCESSING.resize(image), image.size).tolist(), strict=True)
    )


def test_facts_tell_what_they_are_named_after():
    chance = np.random.default_rng(0)
    coarse = Image.fromarray(chance.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    photo = coarse.resize((400, 300), Image.Resampling.NEAREST)
    plain = facts(photo)
    assert (plain["width"], plain["height"]) == (400, 300)
    assert 0.3 < plain["brightness"] < 0.7
    assert facts(photo.filter(ImageFilter.GaussianBlur(6)))["sharpness"] < plain["sharpness"] / 3
    assert facts(photo.point(lambda value: value // 4))["brightness"] == pytest.approx(
        plain["brightness"] / 4, abs=0.01
    )
    # A dim photo is as sharp as a bright one.
    assert facts(photo.point(lambda value: value // 4))["sharpness"] == pytest.approx(
        plain["sharpness"], rel=0.1
    )
    assert facts(photo.convert("L").convert("RGB"))["colour"] == 0
    assert plain["colour"] > 0.2
    blank = facts(Image.new("RGB", (400, 300), (20, 200, 90)))
    assert (blank["contrast"], blank["sharpness"]) == (0, 0)


def test_size_is_that_of_the_upright_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 50), "red").save(tmp_path / "a.jpg", exif=exif)
    seen = facts_of([str(tmp_path / "a.jpg")])
    assert (seen.fact("width")[0], seen.fact("height")[0]) == (50, 80)
