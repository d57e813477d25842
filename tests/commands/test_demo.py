"""`fieldguide demo`: where it goes, and that it tells of itself."""

from pathlib import Path

import pytest

from fieldguide import demo
from fieldguide.errors import OutputError


@pytest.mark.parametrize(("given", "out"), [([], "fieldguide-demo"), (["--out", "here"], "here")])
def test_the_demo_goes_to_the_folder_that_was_named(given, out, run, monkeypatch):
    seen = []

    def told(folder, progress, tell):
        seen.append(folder)
        tell("a step", "\x1b[2J")

    monkeypatch.setattr(demo, "demo", told)
    code, said, _ = run("demo", *given)
    assert (code, said) == (0, "a step\t\\x1b[2J\n")
    assert seen == [Path(out)]


def test_a_folder_that_cannot_be_written_is_one_line(run, monkeypatch):
    def fail(*given):
        raise OutputError("here: no room")

    monkeypatch.setattr(demo, "demo", fail)
    assert run("demo") == (2, "", "fieldguide demo: here: no room\n")
