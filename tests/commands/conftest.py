"""What the tests of this folder share."""

import pytest

from commands_made import paint
from fieldguide import cli
from tiny_model import write_tiny_model


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder that holds `model.onnx`, and is the current one."""
    monkeypatch.chdir(tmp_path)
    write_tiny_model(tmp_path / "model.onnx")
    return tmp_path


@pytest.fixture
def photos(home):
    """Ten photos of each class; one green one lies among the red."""
    for colour in ("red", "green", "blue"):
        for number in range(10):
            paint(home / "photos" / colour / f"{number}.png", colour)
    paint(home / "photos" / "red" / "9.png", "green")
    return home / "photos"


@pytest.fixture
def run(capsys):
    """Exit code, standard output and standard error of a command: `run(...)`."""

    def command(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command
