"""Names on standard input, in place of paths."""

import io
import sys

import pytest

from fieldguide.commands.shared.standard_input import names_in, with_names_read
from fieldguide.errors import OptionError


@pytest.fixture
def given(monkeypatch):
    """Put bytes on standard input."""

    def give(content):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return give


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"a.jpg\nb c.jpg", ["a.jpg", "b c.jpg"]),
        (b"a.jpg\r\n\r\nb.jpg\r\n", ["a.jpg", "b.jpg"]),
        (b"a\nb.jpg\0c.jpg\0", ["a\nb.jpg", "c.jpg"]),
        (b" lead.jpg \n", [" lead.jpg "]),
        (b"bad\xff.jpg\n", ["bad\udcff.jpg"]),
    ],
)
def test_names_are_taken_as_they_stand(content, names):
    assert names_in(content) == names


def test_they_stand_where_the_dash_stood(given):
    given(b"b.jpg\nc.jpg\n")
    assert with_names_read(["a.jpg", "-", "d.jpg"]) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert with_names_read(["a.jpg"]) == ["a.jpg"]


def test_nothing_and_twice_are_said(given):
    given(b"\n \n")
    with pytest.raises(OptionError, match="must hold names of files, one a line; got none"):
        with_names_read(["-"])
    with pytest.raises(OptionError, match="can be read once"):
        with_names_read(["-", "-"])


def test_predict_next_and_check_read_them(given, photos, run):
    names = sorted(str(path) for path in photos.rglob("*.png"))
    given("\0".join([*names, "missing.png"]).encode())
    code, out, err = run("predict", "model.onnx", "-")
    assert code == 1 and [line.split("\t")[3] for line in out.splitlines()] == [*names, "missing.png"]
    assert "refused missing.png" in err
    given("\n".join(names).encode())
    assert run("next", "model.onnx", "-", "--count", 3)[0] == 0
    given("\n".join([*names, names[0]]).encode())
    code, out, err = run("check", "-", "--fix", "fix.csv")
    assert code == 1 and out.startswith("30 images, 3 classes: ")
    assert "1 name were repeated and counted once" in err
    assert "then: fieldguide train DATA --corrections fix.csv --out model.onnx" in err
