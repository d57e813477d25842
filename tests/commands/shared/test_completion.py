"""Completion, asked of the shells themselves."""

import shutil
import subprocess
import sys

import pytest

from command_line import run
from fieldguide.commands import COMMANDS

pytest.importorskip("shtab", reason="the extra completion is not installed")

ASK_BASH = """
source ./script
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_shtab_fieldguide fieldguide "${{COMP_WORDS[$COMP_CWORD]}}" "${{COMP_WORDS[$((COMP_CWORD - 1))]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ASK_FISH = "source ./script; complete -C 'fieldguide {words}'"


def script(capsys, folder, shell):
    code, out, _ = run(capsys, "--print-completion", shell)
    assert code == 0
    (folder / "script").write_text(out, encoding="utf-8")


def asked(shell, folder, question, words):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    code = question.format(words=words)
    done = subprocess.run([shell, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return [line.split("\t")[0].strip() for line in done.stdout.splitlines()]


@pytest.mark.skipif(sys.platform == "win32", reason="bash there is another system's")
def test_bash_completes_commands_options_values_and_files(capsys, tmp_path):
    script(capsys, tmp_path, "bash")
    (tmp_path / "photos").mkdir()
    (tmp_path / "model.onnx").touch()

    def bash(words):
        return asked("bash", tmp_path, ASK_BASH, words)

    assert {command.NAME for command in COMMANDS} <= set(bash("fieldguide ''"))
    assert bash("fieldguide tra") == ["train"]
    assert bash("fieldguide train --back") == ["--backbone"]
    assert set(bash("fieldguide train photos --preset ''")) == {"fast", "balanced", "best"}
    assert "svm" in bash("fieldguide train photos --recipe ''")
    assert bash("fieldguide train pho") == ["photos"]
    assert bash("fieldguide evaluate mod") == ["model.onnx"]


def test_fish_completes_commands_and_options(capsys, tmp_path):
    script(capsys, tmp_path, "fish")
    assert "train" in asked("fish", tmp_path, ASK_FISH, "tra")
    assert "--backbone" in asked("fish", tmp_path, ASK_FISH, "train photos --back")


def test_zsh_takes_the_script(capsys, tmp_path):
    script(capsys, tmp_path, "zsh")
    asked("zsh", tmp_path, "autoload -Uz compinit; compinit -D; source ./script; which _shtab_fieldguide", "")
    text = (tmp_path / "script").read_text(encoding="utf-8")
    assert text.startswith("#compdef fieldguide") and "--backbone" in text


def test_another_shell_is_refused(capsys):
    code, _, errors = run(capsys, "--print-completion", "cmd")
    assert code == 2 and "choose from" in errors
