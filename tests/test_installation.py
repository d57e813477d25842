"""What a message says on how to install something: packages that exist, however fieldguide was installed."""

import importlib.metadata

import pytest

from fieldguide import installation
from fieldguide.installation import (
    command_for,
    missing,
    program_command,
    program_line,
    program_words,
    remember_program,
    requirements,
)

METADATA = [
    "numpy>=2.0",
    'onnx>=1.17; extra == "train"',
    'fieldguide[train,hub]; extra == "torch"',
    "torch>=2.6 ; extra == 'torch'",
    'huggingface-hub>=0.26; extra == "hub"',
    'uvicorn>=0.40; python_version >= "3.11" and extra == "serve"',
]


@pytest.fixture
def metadata(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: METADATA)
    present = {"onnx", "numpy"}

    def version(name):
        if name not in present:
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(importlib.metadata, "version", version)
    return present


def test_an_extra_holds_what_the_metadata_say_extras_in_it_followed(metadata):
    assert requirements("torch") == ("onnx>=1.17", "huggingface-hub>=0.26", "torch>=2.6")
    assert requirements("serve") == ("uvicorn>=0.40",)


def test_only_what_is_missing_is_named_with_what_it_downloads(metadata):
    assert missing("torch") == ("huggingface-hub>=0.26", "torch>=2.6")
    assert command_for("torch") == (
        f"pip install 'huggingface-hub>=0.26' 'torch>=2.6' ({installation.DOWNLOADS['torch']})"
    )


def test_where_nothing_is_missing_all_is_named(metadata):
    metadata |= {"huggingface-hub", "torch"}
    assert command_for("torch").startswith("pip install 'onnx>=1.17' 'huggingface-hub>=0.26'")


def test_no_message_names_an_extra_of_a_package_that_is_not_published():
    for extra in (
        "train",
        "torch",
        "app",
        "serve",
        "report",
        "parquet",
        "heic",
        "microscopy",
        "hub",
        "keras",
    ):
        assert requirements(extra), extra
        assert "fieldguide" not in command_for(extra)


@pytest.mark.parametrize(
    ("script", "original", "words"),
    [
        ("/x/fieldguide/__main__.py", ["py", "-m", "fieldguide", "info"], ["py", "-m", "fieldguide"]),
        ("bin/fieldguide", ["/usr/bin/python3", "bin/fieldguide"], ["bin/fieldguide"]),
        ("C:/env/Scripts/fieldguide.exe", ["python.exe"], ["C:/env/Scripts/fieldguide.exe"]),
        ("/usr/bin/pytest", ["python3", "/usr/bin/pytest"], ["fieldguide"]),
        ("-c", ["python3", "-c"], ["fieldguide"]),
        ("", [], ["fieldguide"]),
    ],
)
def test_a_program_is_called_as_it_was(script, original, words, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert program_words(script, original) == words


def test_the_bare_name_will_do_where_the_shell_finds_this_very_program(tmp_path, monkeypatch):
    script = tmp_path / "fieldguide"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program_words(str(script), ["python3"]) == ["fieldguide"]
    (tmp_path / "other").mkdir()
    other = script.rename(tmp_path / "other" / "fieldguide")
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    assert program_words(str(other), ["python3"]) == [str(other)]


def test_commands_begin_with_what_is_remembered(monkeypatch):
    monkeypatch.setattr(installation, "_called", ["fieldguide"])
    remember_program([])
    assert program_command("info") == "fieldguide info"
    remember_program(["/my tools/fieldguide"])
    assert program_command("train DATA") == "'/my tools/fieldguide' train DATA"
    assert program_line("info", "a b.onnx") == "'/my tools/fieldguide' info 'a b.onnx'"
