"""Photos and a model that the tests of the functions share."""

import json

import pytest

from fieldguide.cli import main


@pytest.fixture(scope="session")
def photos(tmp_path_factory, paint_classes):
    """Class folders of three colours, one of whose files is broken; to be read only."""
    folder = paint_classes(tmp_path_factory.mktemp("data") / "photos", {"red": 12, "green": 12, "blue": 12})
    (folder / "red" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


@pytest.fixture
def command(tmp_path):
    """Run a command: its exit code and what it wrote as JSON."""

    def run(*arguments):
        out = tmp_path / "answer.json"
        code = main([*map(str, arguments), "--json", str(out)])
        return code, json.loads(out.read_text())

    return run
