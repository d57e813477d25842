"""The command line: exit codes, one line a mistake, what goes where, names a terminal must not obey."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from fieldguide import cli, terminal
from fieldguide.commands import COMMANDS, info, options, summary
from fieldguide.errors import DataError

PROGRAM = [sys.executable, "-m", "fieldguide"]


def run(capsys, *arguments):
    """Exit code, standard output and standard error of a command."""
    code = cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def failing(monkeypatch):
    """Put a command in place that raises what it is told to."""

    def install(error):
        def fail(options):
            raise error

        command = SimpleNamespace(NAME="fail", HELP="fails", arguments=lambda parser: None, run=fail)
        monkeypatch.setattr(cli, "COMMANDS", (command,))

    return install


# --- what there is


def test_the_commands_are_those_of_the_contract(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for name in ("demo", "train", "evaluate", "predict", "info", "backbones", "pretrained"):
        assert re.search(rf"^ +{name} +\w", out, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.NAME)
def test_every_command_explains_itself(command, capsys):
    code, out, _ = run(capsys, command.NAME, "--help")
    assert code == 0
    assert command.HELP[1:20] in " ".join(out.split())


def test_the_version_is_the_packages(capsys):
    import fieldguide

    assert run(capsys, "--version")[1] == f"fieldguide {fieldguide.__version__}\n"


def test_nothing_asked_shows_the_help(capsys):
    code, out, _ = run(capsys)
    assert code == 0
    assert "usage: fieldguide" in out


# --- what cannot start: exit code 2 and one line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["trian"],
            r"there is no command 'trian'; choose one of: demo, .*train, .*evaluate, predict",
        ),
        (["--nonsense"], r"COMMAND|nonsense"),
        (["train", "photos"], r"fieldguide train: .*--out.*; see fieldguide train --help"),
        (
            ["train", "photos", "--out", "m.onnx", "--seed", "x"],
            r"--seed: must be a whole number, 0 or more; got 'x'",
        ),
        (["train", "photos", "--out", "m.onnx", "--seed", "-1"], r"--seed: must be a whole number"),
        (["train", "photos", "--out", "m.onnx", "--preset", "slow"], r"--preset: .*fast.*balanced.*best"),
        (
            ["train", "photos", "--out", "nowhere/m.onnx"],
            r"--out: folder 'nowhere' does not exist; create it",
        ),
        (["train", "photos", "--out", "."], r"--out: must be the name of a file"),
        (
            ["train", "photos", "--out", "m.onnx", "--learning-rate", "nan"],
            r"must be a number above 0; got 'nan'",
        ),
        (
            ["train", "photos", "--out", "m.onnx", "--epochs", "3"],
            r"--epochs: the recipe linear-probe does not take it; recipes that do: finetune, cnn; leave",
        ),
        (
            ["train", "photos", "--out", "m.onnx", "--set", "shrinkage"],
            r"--set: must be NAME=NUMBER, such as shrinkage=0.7; got 'shrinkage'",
        ),
        (
            ["train", "photos", "--out", "m.onnx", "--set", "trees=3"],
            r"--set: the recipe linear-probe has no option 'trees' without a flag; it has shrinkage",
        ),
        (
            ["train", "photos", "--out", "m.onnx", "--resume"],
            r"--resume: the recipe linear-probe does not take it",
        ),
        (["evaluate", "m.onnx", "photos", "--split", "dev"], r"--split: .*train.*validation.*test.*all"),
        (
            ["evaluate", "m.onnx", "photos", "--json", "nowhere/x.json"],
            r"--json: folder 'nowhere' does not exist",
        ),
        (["predict", "m.onnx"], r"PATH"),
        (["info", "missing.onnx"], r"missing\.onnx"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("fieldguide")
    assert err.count("\n") == 1
    assert re.search(message, err)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            DataError("photos: one class only; give two"),
            2,
            "fieldguide fail: photos: one class only; give two",
        ),
        (KeyboardInterrupt(), 130, "fieldguide fail: interrupted; what was finished is kept"),
        (cli.Terminated(), 143, "fieldguide fail: told to end; what was finished is kept"),
        (ModuleNotFoundError("No", name="torch.nn"), 2, "run: pip install 'fieldguide[train]'"),
        (ModuleNotFoundError("No", name="pyarrow"), 2, "run: pip install 'fieldguide[parquet]'"),
        (PermissionError(13, "Permission denied", "/x/y"), 2, "/x/y: Permission denied; check"),
        (MemoryError(), 2, "out of memory"),
        (ZeroDivisionError("by zero"), 2, "a mistake in fieldguide itself (ZeroDivisionError: by zero)"),
        (DataError("a\nb\x1b[2J"), 2, r"a\nb\x1b[2J"),
    ],
)
def test_whatever_goes_wrong_is_one_line_and_a_code(error, code, line, failing, capsys):
    failing(error)
    got, out, err = run(capsys, "fail")
    assert (got, out) == (code, "")
    assert line in err
    assert err.count("\n") == 1


def test_a_mistake_of_the_program_shows_its_traceback_when_asked(failing, monkeypatch):
    failing(ZeroDivisionError("by zero"))
    monkeypatch.setenv("FIELDGUIDE_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        cli.main(["fail"])


# --- signals and pipes, in processes of their own

SLOW = """
import signal, sys, time
from types import SimpleNamespace
from fieldguide import cli
# A shell's background jobs are started with SIGINT ignored, and so may be whoever runs these tests.
signal.signal(signal.SIGINT, signal.default_int_handler)
def run(options):
    print("started", flush=True)
    time.sleep(30)
cli.COMMANDS = (SimpleNamespace(NAME="slow", HELP="is slow", arguments=lambda parser: None, run=run),)
sys.exit(cli.main(["slow"]))
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_work_in_one_line(number, code):
    with subprocess.Popen(
        [sys.executable, "-c", SLOW], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "started\n"
        process.send_signal(number)
        _, err = process.communicate(timeout=10)
    assert process.returncode == code
    assert err.startswith("fieldguide slow: ")
    assert err.count("\n") == 1


def test_a_reader_that_leaves_is_not_an_error():
    command = f"{' '.join(PROGRAM)} backbones --json | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    # Unbuffered output meets the closed pipe at once, whatever the size of the pipe.
    quick = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, env=quick)
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "141")


# --- what a terminal sees


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
    assert "10/10" in screen.getvalue()
    assert r"reading [b]\x1b]0;x" in screen.getvalue()
    assert capsys.readouterr().out == "a result\n"


# --- JSON and pages


def test_json_goes_whole_to_a_file_in_ascii(tmp_path):
    options.write_json({"path": os.fsdecode(b"bad\xff")}, tmp_path / "x.json")
    text = (tmp_path / "x.json").read_text(encoding="ascii")
    assert os.fsencode(json.loads(text)["path"]) == b"bad\xff"


def test_refusals_are_named_up_to_a_limit(capsys):
    refused = [{"path": f"{number}.jpg", "code": "empty", "message": "no bytes"} for number in range(25)]
    options.say_refused(refused, 25, "--json lists")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "refused 0.jpg: no bytes (empty)"
    assert lines[-1] == "refused 5 more; --json lists them all"


def test_the_page_of_a_measurement_names_weak_classes_and_mix_ups():
    share = {"value": 0.5, "low": 0.25, "high": 0.75}
    keys = ("accuracy", "balanced_accuracy", "macro_f1", "macro_precision", "macro_recall")
    answer = {
        "n": 4,
        **dict.fromkeys(keys, share),
        "top5": None,
        "log_loss": 0.3,
        "ece": 0.02,
        "coverage": 0.95,
        "mean_set_size": 1.25,
        "unknown_rate": 0.01,
        "per_class": [
            {"label": "hat", "n": 2, "precision": 0.5, "recall": 0.5, "f1": 0.5},
            {"label": "cap", "n": 2, "precision": 1.0, "recall": 1.0, "f1": 1.0},
        ],
        "confusion": {"labels": ["hat", "cap"], "matrix": [[1, 1], [0, 2]]},
    }
    page = "\n".join(summary.lines(answer))
    assert "0.500  (0.250 to 0.750)" in page
    assert "hat: F1 0.50" in page
    assert "cap: F1" not in page
    assert "hat taken for cap: 1" in page
    assert "top-5" not in page


def test_a_card_is_a_readable_page():
    card = {
        "spec": 1,
        "classes": [f"c{number}" for number in range(40)],
        "backbone": {"name": "lite0", "licence": "apache-2.0"},
        "thresholds": {"unknown": 0.01},
        "metrics": {"accuracy": {"value": 0.9, "low": 0.8, "high": 0.95}},
        "choices": ["one sentence.", "and another."],
    }
    page = list(info.page(card))
    assert "spec: 1" in page
    assert "  licence: apache-2.0" in page
    assert "  accuracy: 0.900 (0.800 to 0.950)" in page
    assert "  one sentence." in page
    assert any(line.endswith("c29, … and 10 more") for line in page)


def test_backbones_are_listed(capsys):
    code, out, _ = run(capsys, "backbones")
    assert code == 0
    assert re.search(r"^efficientnet_lite0 +\d+ +224 +apache-2.0 +yes", out, re.MULTILINE)
    code, out, _ = run(capsys, "backbones", "--json")
    row = json.loads(out)[0]
    assert row["name"] == "efficientnet_lite0"
    assert row["usable_offline"] is True
