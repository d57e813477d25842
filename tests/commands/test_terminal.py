"""What a person sees: names obey nothing, progress is few lines or a bar."""

import io
import os
import re
import sys

import pytest

from fieldguide.commands import terminal


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat.jpg", "cat.jpg"),
        ("Käfer 猫 🦊.jpg", "Käfer 猫 🦊.jpg"),
        ("a\nb\tc.jpg", r"a\nb\tc.jpg"),
        ("\x1b]0;pwned\x07.jpg", r"\x1b]0;pwned\x07.jpg"),
        ("photo\u202egpj.exe", r"photo\u202egpj.exe"),
        (os.fsdecode(b"bad\xff.jpg"), r"bad\xff.jpg"),
        ("\x9b31m", r"\x9b31m"),
    ],
)
def test_a_name_cannot_command_the_terminal(name, shown, capsys):
    terminal.show(name, "second")
    terminal.say(name)
    captured = capsys.readouterr()
    assert captured.out == f"{shown}\tsecond\n"
    assert captured.err == f"{shown}\n"


def test_a_table_is_aligned(capsys):
    terminal.show_table([("name", "MB"), ("a\x1b", "5"), ("longer", "12")])
    assert capsys.readouterr().out == "name    MB\na\\x1b   5\nlonger  12\n"


def test_progress_elsewhere_than_on_a_terminal_is_few_whole_lines(capsys):
    with terminal.progress() as progress:
        for done in range(1001):
            progress("reading", done, 1000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) <= 3
    assert re.fullmatch(r"reading: 1000 of 1000, \d+\.\d s", lines[-1])


def test_progress_elsewhere_estimates_what_is_left(capsys, monkeypatch):
    clock = iter([0.0, 0.0, 10.0])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock))
    with terminal.progress() as progress:
        progress("reading", 0, 40)
        progress("reading", 10, 40)
    assert capsys.readouterr().err == "reading: 10 of 40, about 30 s left\n"


def test_a_stage_that_comes_again_is_timed_anew(capsys, monkeypatch):
    clock = iter([0.0, 0.0, 2.0, 100.0, 103.0])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock))
    with terminal.progress() as progress:
        for done in (0, 1, 0, 1):
            progress("preparing", done, 1)
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if " 1 of 1" in line] == [
        "preparing: 1 of 1, 2.0 s",
        "preparing: 1 of 1, 3.0 s",
    ]


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_progress_on_a_terminal_is_a_bar_on_standard_error(capsys, monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with terminal.progress() as progress:
        progress("reading [b]\x1b]0;x", 3, 10)
        terminal.show("a result")
        progress("reading [b]\x1b]0;x", 10, 10)
    assert " 3/10" in screen.getvalue()
    assert r"reading [b]\x1b]0;x" in screen.getvalue()
    assert capsys.readouterr().out == "a result\n"
