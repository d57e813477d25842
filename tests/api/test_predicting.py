"""`predict`, `explain` and `next_to_label`: what the commands write."""

import gc
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import fieldguide
from fieldguide.cli import main
from fieldguide.errors import OptionError, RefusedInput


def test_answers_are_those_of_the_command(photos, colours, tmp_path):
    ours, theirs = tmp_path / "ours.jsonl", tmp_path / "theirs.jsonl"
    main(["predict", str(colours), str(photos), "--out", str(theirs)])
    rows = [json.loads(line) for line in theirs.read_text().splitlines()]
    answers = fieldguide.predict(colours, photos)
    assert answers.as_dict() == rows and len(answers) == 37
    written = fieldguide.predict(colours, [photos], out=ours)
    assert ours.read_bytes() == theirs.read_bytes() and (written.rows, written.refused) == (37, 1)


def test_photos_of_an_archive_are_there_as_long_as_its_answers(photos, colours, tmp_path):
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(photos / "red" / "001.png", "001.png")
    answers = fieldguide.predict(colours, archive)
    place = Path(answers.files[answers[0].path])
    assert place.is_file()
    del answers
    gc.collect()
    assert not place.exists()


def test_a_form_needs_a_file(photos, colours, tmp_path):
    with pytest.raises(OptionError, match="--form says how --out FILE is written"):
        fieldguide.predict(colours, photos, form="cvat")
    out = photos.parent / "annotations.xml"
    assert fieldguide.predict(colours, photos, form="cvat", out=out).rows == 37
    assert b"<annotations>" in out.read_bytes()


def test_an_explanation_is_that_of_the_command(photos, colours, tmp_path, command):
    photo = photos / "red" / "001.png"
    ours, theirs = tmp_path / "ours.png", tmp_path / "theirs.png"
    code, answer = command("explain", colours, photo, "--out", theirs, "--train", photos)
    result = fieldguide.explain(colours, photo, out=ours, train=photos)
    assert code == 0 and result.as_dict() == answer
    assert ours.read_bytes() == theirs.read_bytes()
    assert len(result.nearest) == 6 and result.second.label == result.rival
    assert isinstance(result.photo, Image.Image)


def test_a_photo_that_cannot_be_read_is_refused(photos, colours):
    with pytest.raises(RefusedInput, match="truncated"):
        fieldguide.explain(colours, photos / "red" / "broken.png")


def test_what_to_label_next_is_that_of_the_command(photos, colours, tmp_path, capsys):
    ours, theirs, sheet = tmp_path / "ours.csv", tmp_path / "theirs.csv", tmp_path / "sheet.png"
    main(["next", str(colours), str(photos), "--count", "5", "--out", str(theirs)])
    found = fieldguide.next_to_label(colours, photos, count=5, out=ours, sheet=sheet)
    assert ours.read_bytes() == theirs.read_bytes() and len(found.photos) == 5
    assert [row["path"] for row in found.as_dict()["photos"]] == [photo.path for photo in found.photos]
    with Image.open(sheet) as drawn:
        assert drawn.width > 500
