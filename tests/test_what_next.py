"""What to label next: unsure, strange and different photos first, always the same ones."""

import csv
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from fieldguide import cli
from fieldguide.errors import DataError, OptionError, Refusal
from fieldguide.prediction import Judge, refused
from fieldguide.predictor import Seen
from fieldguide.what_next import farthest_first, what_next
from tiny_model import write_tiny_model

JUDGE = Judge(("ant", "bee", "cow"), 0.01, None, 2)


@dataclass(frozen=True)
class Photo:
    path: str
    probabilities: tuple[float, float, float]
    kind: int
    typicality: float = 0.5


class Model:
    """Answers as the photos say; photos of one kind look nearly the same to it."""

    def __init__(self, photos):
        self.photos = {photo.path: photo for photo in photos}

    def seen_stream(self, sources, *, top=5):
        for source in sources:
            if isinstance(source, Refusal):
                yield Seen(refused(source.path, source.code, source.message))
                continue
            photo = self.photos[source]
            answer = JUDGE(
                photo.path, np.array(photo.probabilities, np.float32), np.float32(photo.typicality)
            )
            look = np.random.default_rng(photo.kind).normal(0, 1, 40)
            look += np.random.default_rng(len(photo.path)).normal(0, 0.01, 40)
            yield Seen(answer, look.astype(np.float32))


def chosen(photos, count=50):
    return what_next(Model(photos), [photo.path for photo in photos], count=count).photos


SURE, UNSURE = (0.98, 0.01, 0.01), (0.40, 0.35, 0.25)


def test_the_unsure_and_the_strange_come_before_the_sure():
    photos = [Photo(f"sure {number}", SURE, number) for number in range(20)]
    photos += [Photo("unsure", UNSURE, 50), Photo("strange", SURE, 51, typicality=0.0)]
    first = chosen(photos, 2)
    assert {photo.path for photo in first} == {"unsure", "strange"}
    reasons = {photo.path: photo.reason for photo in first}
    assert reasons["unsure"] == "unsure: 'ant' 0.40 or 'bee' 0.35"
    assert reasons["strange"] == "unlike the photos learned from (typicality 0.000)"


def test_no_kind_comes_twice_while_others_wait():
    photos = [Photo(f"{'x' * number}", UNSURE, number % 5) for number in range(1, 41)]
    first = chosen(photos, 5)
    assert {len(photo.path) % 5 for photo in first} == {0, 1, 2, 3, 4}
    # Uncertainty alone would not tell these photos apart.
    assert len({photo.margin for photo in chosen(photos)}) == 1


def test_the_same_photos_give_the_same_list():
    photos = [Photo(f"{number}", (0.5, 0.3, 0.2), number) for number in range(30)]
    assert chosen(photos, 10) == chosen(photos, 10)


def test_refused_photos_are_listed_and_the_rest_is_chosen_from():
    photo = Photo("a", UNSURE, 1)
    gone = Refusal("gone.jpg", "missing", "there is no such file")
    found = what_next(Model([photo]), [gone, "a"], count=5)
    assert [suggestion.path for suggestion in found.photos] == ["a"]
    assert (found.refused, found.seen) == ((gone,), 1)
    with pytest.raises(DataError, match=r"none of the 1 photos could be read; the first: gone.jpg"):
        what_next(Model([]), [gone])
    with pytest.raises(OptionError, match="1 or more, got 0"):
        what_next(Model([photo]), ["a"], count=0)


def test_every_photo_is_listed_once_even_where_all_are_equal():
    photos = [Photo(f"{number:02}", SURE, 1) for number in range(12)]
    assert sorted(photo.path for photo in chosen(photos)) == [f"{number:02}" for number in range(12)]


def test_distances_are_those_of_the_outer_products():
    chance = np.random.default_rng(0)
    doubts, directions = chance.normal(0, 1, (25, 4)), chance.normal(0, 1, (25, 6))
    points = np.einsum("ni,nj->nij", doubts, directions).reshape(25, -1)
    order, gaps = farthest_first(doubts.astype(np.float32), directions.astype(np.float32), 25)
    assert sorted(order) == list(range(25))
    for done, (place, gap) in enumerate(zip(order, gaps, strict=True)):
        others = [np.zeros(24), *points[order[:done]]]
        nearest = [min(np.linalg.norm(point - other) for other in others) for point in points]
        assert gap == pytest.approx(nearest[place], rel=1e-3)
        assert gap == pytest.approx(
            max(nearest[row] for row in range(25) if row not in order[:done]), rel=1e-3
        )


def test_the_command_writes_table_and_sheet(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_tiny_model(tmp_path / "model.onnx")
    (tmp_path / "pool").mkdir()
    for number, colour in enumerate([(230, 20, 20), (228, 22, 20), (20, 20, 230), (140, 120, 20)]):
        Image.new("RGB", (24, 20), colour).save(tmp_path / "pool" / f"{number}.png")
    (tmp_path / "pool" / "=broken.png").write_bytes(b"")
    arguments = ["next", "model.onnx", "pool", "--count", "3", "--out", "next.csv", "--sheet", "next.png"]
    assert cli.main(arguments) == 1
    assert "refused pool/=broken.png" in capsys.readouterr().err
    with (tmp_path / "next.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["rank"] for row in rows] == ["1", "2", "3"]
    assert {row["label"] for row in rows} <= {"red", "green", "blue"}
    assert {"pool/3.png", "pool/2.png"} <= {row["path"] for row in rows}
    assert not {"pool/0.png", "pool/1.png"} <= {row["path"] for row in rows}
    with Image.open(tmp_path / "next.png") as sheet:
        assert sheet.width > 500
    assert cli.main(["next", "model.onnx", "pool/0.png"]) == 0
    assert capsys.readouterr().out.startswith("1\tpool/0.png\t")
