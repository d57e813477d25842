"""The command line: exit codes, one line a mistake, what goes where, names a terminal must not obey."""

import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from command_line import run
from fieldguide import cli, installation
from fieldguide.commands import COMMANDS
from fieldguide.errors import DataError, ProcessEnded

SOURCES = str(Path(cli.__file__).parents[1])
PROGRAM = [sys.executable, "-m", "fieldguide"]


@pytest.fixture
def failing(monkeypatch):
    """Put a command in place that raises what it is told to."""

    def install(error):
        def fail(options):
            raise error

        command = SimpleNamespace(NAME="fail", HELP="fails", arguments=lambda parser: None, run=fail)
        monkeypatch.setattr(cli, "COMMANDS", (command,))
        monkeypatch.setattr(sys, "argv", ["/somewhere/fieldguide"])

    return install


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["trian"],
            r"there is no command 'trian'; choose one of: demo, .*train, .*evaluate, predict",
        ),
        (["--nonsense"], r"COMMAND|nonsense"),
        (["train", "photos"], r"fieldguide train: --out: is missing; give the model file to write, such as"),
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
            r"--epochs: the recipe linear-probe does not take it; (recipes that do: finetune|no recipe of)",
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
        (
            ["train", "photos", "--out", "m.onnx", "--devices", "2"],
            r"--devices: the recipe linear-probe does not take it; (recipes that do: finetune|no recipe of)",
        ),
        (["train", "photos", "--out", "m.onnx", "--devices", "0"], r"--devices: must be a whole number"),
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
        (
            KeyboardInterrupt(),
            130,
            "fieldguide fail: interrupted; what was finished is kept; continue with: fieldguide fail\n",
        ),
        (
            cli.Terminated(signal.SIGHUP),
            129,
            "fieldguide fail: terminated; what was finished is kept; continue with: fieldguide fail\n",
        ),
        (
            cli.Terminated(),
            143,
            "fieldguide fail: terminated; what was finished is kept; continue with: fieldguide fail\n",
        ),
        (
            ModuleNotFoundError("No", name="torch.nn"),
            2,
            "needs torch, which is not installed; run: pip install '",
        ),
        (ModuleNotFoundError("No", name="pyarrow"), 2, "run: pip install 'pyarrow>="),
        (ProcessEnded("process 2 of 2 ended"), 2, "process 2 of 2 ended; continue with: fieldguide fail\n"),
        (PermissionError(13, "Permission denied", "/x/y"), 2, "/x/y: Permission denied; check"),
        (MemoryError(), 2, "out of memory"),
        (ZeroDivisionError("by zero"), 2, "an error in fieldguide itself (ZeroDivisionError: by zero)"),
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


SLOW = """
import signal, sys, time
from pathlib import Path
from types import SimpleNamespace
from fieldguide import cli, installation
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


def test_an_interruption_names_the_command_that_goes_on(failing, capsys, monkeypatch):
    for command, recipe, resume, more in (
        ("train", "cnn", None, " --resume"),
        ("train", "cnn", True, ""),
        ("train", "svm", None, ""),
        ("tune", "svm", False, " --resume"),
        ("compare", None, False, ""),
    ):
        options = argparse.Namespace(command=command, recipe=recipe, resume=resume)
        again = cli._again([command, "my photos", "--out", "m.onnx"], options)
        assert again == f"fieldguide {command} 'my photos' --out m.onnx{more}"
    monkeypatch.setattr(installation, "_called", ["python3", "-m", "fieldguide"])
    assert cli._again(["check", "a"], argparse.Namespace()) == "python3 -m fieldguide check a"
    monkeypatch.setattr(
        cli,
        "COMMANDS",
        (SimpleNamespace(NAME="half", HELP="h", arguments=lambda parser: None, run=lambda options: 130),),
    )
    assert cli.main(["half"]) == 130
    assert capsys.readouterr().err == "continue with: python3 -m fieldguide half\n"


@pytest.mark.parametrize("way", ["module", "path", "name"])
def test_printed_commands_use_the_name_by_which_the_program_was_called(way, tmp_path):
    script = tmp_path / "folder of tools" / "fieldguide"
    script.parent.mkdir()
    code = f"#!{sys.executable}\nimport sys\nfrom fieldguide.cli import main\nsys.exit(main())\n"
    script.write_text(code)
    script.chmod(0o755)
    called = {"module": [sys.executable, "-m", "fieldguide"], "path": [str(script)], "name": ["fieldguide"]}
    environment = {**os.environ, "PYTHONPATH": SOURCES}
    if way == "name":
        environment["PATH"] = f"{script.parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        [*called[way], "train", "--seed", "x"], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 2
    assert done.stderr.endswith(f"; see {shlex.join(called[way])} train --help\n")
