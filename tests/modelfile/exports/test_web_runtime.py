"""ONNX Runtime Web: found where npm puts it, packed or not, and never anything else."""

import pytest

from fieldguide.errors import OptionError
from fieldguide.modelfile.exports.web_runtime import BINARY, COMMAND, SCRIPT, TRIED, web_runtime
from web_made import MADE, package, packed


def test_it_is_found_where_npm_puts_it(tmp_path):
    deep = tmp_path / "project" / "sub"
    deep.mkdir(parents=True)
    package(tmp_path / "node_modules" / "onnxruntime-web")
    found = web_runtime(None, deep)
    assert (found.version, found.script, found.binary) == ("1.99.0", MADE.script, MADE.binary)


@pytest.mark.parametrize("form", ["file", "folder of a file", "folder", "folder of node_modules", "unpacked"])
def test_it_is_read_from_where_a_person_says(tmp_path, form):
    whole = package(tmp_path / "whole")
    place = tmp_path / "place"
    place.mkdir()
    if form == "file":
        place = packed(tmp_path / "any.tgz", whole)
    elif form == "folder of a file":
        packed(place / "onnxruntime-web-1.99.0.tgz", whole)
    elif form == "folder":
        place = whole
    elif form == "folder of node_modules":
        package(place / "node_modules" / "onnxruntime-web")
    else:
        package(place / "package")
    assert web_runtime(place).version == "1.99.0"


def test_a_package_in_this_folder_is_enough_and_the_newest_is_taken(tmp_path):
    for version in ("1.9.0", "1.100.0", "1.99.0"):
        folder = package(tmp_path / f"of-{version}", version)
        packed(tmp_path / f"onnxruntime-web-{version}.tgz", folder)
    assert web_runtime(None, tmp_path).version == "1.100.0"


def test_where_it_is_not_there_the_command_is_said(tmp_path):
    with pytest.raises(OptionError, match=r"not in this folder; fetch it with: npm pack onnxruntime-web@"):
        web_runtime(None, tmp_path)
    with pytest.raises(OptionError, match="holds no onnxruntime-web"):
        web_runtime(tmp_path / "nowhere")
    assert TRIED in COMMAND


def test_another_package_and_an_old_one_are_refused(tmp_path):
    with pytest.raises(
        OptionError, match=r"must be onnxruntime-web of version 1\.20 or later; got onnxruntime-web 1\.19\.2"
    ):
        web_runtime(package(tmp_path / "old", "1.19.2"))
    with pytest.raises(OptionError, match="got onnxruntime-node"):
        web_runtime(package(tmp_path / "other", name="onnxruntime-node"))
    described = package(tmp_path / "broken")
    (described / "package.json").write_bytes(b"[1")
    with pytest.raises(OptionError, match="must be onnxruntime-web of version"):
        web_runtime(described)


def test_a_damaged_one_is_refused(tmp_path):
    whole = packed(tmp_path / "whole.tgz", package(tmp_path / "package"))
    (tmp_path / "cut.tgz").write_bytes(whole.read_bytes()[:200])
    with pytest.raises(OptionError, match="whole; it cannot be read"):
        web_runtime(tmp_path / "cut.tgz")
    half = package(tmp_path / "half")
    (half / BINARY).unlink()
    with pytest.raises(OptionError, match="whole; it cannot be read"):
        web_runtime(half)


def test_other_bytes_under_the_version_that_was_tried_are_refused(tmp_path):
    with pytest.raises(OptionError, match=f"{SCRIPT} .* is not the one that was published"):
        web_runtime(package(tmp_path / "forged", TRIED))
