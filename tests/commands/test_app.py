"""`fieldguide app`: what it starts, and what keeps it from starting."""

import os
import subprocess
import sys

import pytest

from fieldguide.commands import app


def test_only_this_machine_reaches_it_and_nothing_is_sent(tmp_path):
    command = app.command(tmp_path, 8502)
    assert command[:4] == [sys.executable, "-m", "streamlit", "run"]
    assert os.path.isfile(command[4])  # noqa: PTH113 - what is handed to another program is text
    assert "--server.address=127.0.0.1" in command and "--server.port=8502" in command
    assert "--browser.gatherUsageStats=false" in command
    hosts = [part.partition("=")[2] for part in command if part.startswith("--server.allowedHosts")]
    assert hosts == ["localhost", "127.0.0.1"]
    assert command[-3:] == ["--", str(tmp_path), "fieldguide"]


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "²", ""])
def test_a_port_is_one_that_a_program_may_open(text, run):
    code, _, err = run("app", "--port", text)
    assert code == 2 and "must be a whole number from 1 to 65535" in err


def test_a_folder_that_is_none_is_said_in_one_line(tmp_path, run):
    code, _, err = run("app", tmp_path / "none")
    assert code == 2 and err.count("\n") == 1
    assert "no such folder; make it, or name the one with your models" in err


def test_without_streamlit_the_command_that_installs_it_is_named(tmp_path, run, monkeypatch):
    monkeypatch.setattr(app, "find_spec", lambda name: None)
    code, _, err = run("app", tmp_path)
    assert code == 2 and "needs streamlit, which is not installed; run: pip install" in err


def test_it_ends_with_what_streamlit_ends_with(tmp_path, run, monkeypatch):
    monkeypatch.setattr(app, "find_spec", lambda name: "there")
    monkeypatch.setattr(subprocess, "call", lambda command: 3)
    code, _, err = run("app", tmp_path, "--port", 8600)
    assert code == 3
    assert "open http://localhost:8600 in a browser" in err
