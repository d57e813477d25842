"""Bars and text on one terminal: nothing is written over, whoever writes it; in a real pseudo-terminal."""

import re
import sys

import pytest

from pseudo_terminal import run_in_terminal

SCREENS = [(100, 30), (80, 24), (40, 5)]

MANY = """
import sys, threading, time, warnings
from fieldguide.commands import terminal

def write(name, stream):
    for number in range(80):
        stream(f"{name} {number} " + "=" * (3 * number % 130) + ".")
        time.sleep(0.001)

with terminal.progress() as progress:
    writers = [
        threading.Thread(target=write, args=("result", terminal.show)),
        threading.Thread(target=write, args=("note", terminal.say)),
    ]
    for writer in writers:
        writer.start()
    for done in range(0, 200):
        for stage in range(8):
            progress(f"stage {stage} whose name is long " + "x" * 40, done, 200 if stage else None)
        time.sleep(0.001)
    for writer in writers:
        writer.join()
    warnings.warn("somebody's warning")
    sys.stdout.write("an unfinished ")
    sys.stdout.write("line")
terminal.show("")
terminal.say("the end")
"""


@pytest.mark.parametrize(("columns", "rows"), SCREENS)
def test_every_line_is_there_once_and_in_order_and_the_bars_are_gone(columns, rows):
    seen = run_in_terminal([sys.executable, "-c", MANY], columns=columns, rows=rows)
    assert seen.code == 0, seen.text
    found = re.findall(r"(result|note)(\d+)(=*)\.", seen.packed)
    for name in ("result", "note"):
        lines = [(number, signs) for writer, number, signs in found if writer == name]
        assert lines == [(str(number), "=" * (3 * number % 130)) for number in range(80)]
    assert seen.lines[-2:] == ["an unfinished line", "the end"]
    assert "UserWarning:somebody'swarning" in seen.packed
    assert seen.bars > 2
    assert "so far" not in seen.text and "━" not in seen.text and "stage" not in seen.text
    assert not seen.cursor_hidden


def test_results_that_go_elsewhere_do_not_come_to_the_terminal(tmp_path):
    code = MANY + "\nterminal.show('to the file')"
    run_in_terminal(
        [sys.executable, "-c", f"import sys; sys.stdout = open('out', 'w')\n{code}"], cwd=tmp_path
    )
    written = (tmp_path / "out").read_text().splitlines()
    assert len(written) == 82 and written[-1] == "to the file"


SILENT = """
import time
from fieldguide.commands import terminal
with terminal.progress() as progress:
    progress("work", 1, 1)
    time.sleep(4)
    progress("more work", 1, 2)
    time.sleep(0.5)
"""


def test_a_step_that_tells_nothing_still_shows_that_work_goes_on():
    seen = run_in_terminal([sys.executable, "-c", SILENT])
    assert "working" in seen.written and "more work" in seen.written
    assert "working" not in seen.written.partition("more work")[2]
    assert seen.longest_silence < 2 and seen.text == ""


BROKEN = """
from fieldguide.commands import terminal
with terminal.progress() as progress:
    progress("work", 1, 3)
    terminal.show("before")
    raise {error}
"""


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "ValueError('bad')", "SystemExit(3)"])
def test_an_end_on_the_way_takes_the_bars_away(error):
    seen = run_in_terminal([sys.executable, "-c", BROKEN.format(error=error)])
    assert "before" in seen.text and "work" not in seen.text.replace("progress(", "").split("Traceback")[0]
    assert not seen.cursor_hidden


LINES = """
from fieldguide.commands import terminal
with terminal.progress() as progress:
    progress("work", 3, 3)
"""


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(tmp_path):
    code = (
        "from fieldguide.commands import terminal\nwith terminal.progress() as told:\n    told('work', 3, 3)"
    )
    seen = run_in_terminal([sys.executable, "-c", code], TERM="dumb")
    assert seen.lines == ["work: 3 of 3, 0.0 s"] and seen.bars == 0
