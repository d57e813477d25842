"""An export beside its model: what differs is seen, and what cannot be read is counted."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PIL import Image

from fieldguide.data.dataset import Dataset
from fieldguide.errors import DataError, OptionError
from fieldguide.evaluation.export_check import LIMITS, ExportCheck, check_export, lines
from fieldguide.modelfile.exports.conversion import export
from layered_model import write_layered_model


@pytest.fixture
def model(tmp_path):
    return write_layered_model(tmp_path / "model.onnx")


@pytest.fixture
def photos(tmp_path):
    """Eight photos of noise, and one file that is none."""
    random, paths = np.random.default_rng(0), []
    for number in range(8):
        paths.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(random.integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(paths[-1])
    paths.insert(3, str(tmp_path / "none.png"))
    (tmp_path / "none.png").write_bytes(b"none")
    return Dataset(tmp_path, tuple(paths), ("?",) * 9)


def test_a_core_gives_the_same_answers(model, photos, tmp_path):
    done = export(model, "core", tmp_path / "core.onnx")
    seen = []
    check = check_export(model, done.path, "core", photos, lambda *stage: seen.append(stage))
    assert (check.n, check.same_label, check.same_set) == (8, 1.0, 1.0)
    assert (check.max_probability_difference, check.max_typicality_difference) == (0.0, 0.0)
    assert check.within
    assert check.size_bytes == done.bytes_after
    assert [refusal.path for refusal in check.refused] == ["none.png"]
    assert seen[-1] == ("checking", 9, 9)
    assert check.as_dict()["to"] == "core"


def test_another_networks_answers_are_seen(model, photos, tmp_path):
    done = export(model, "core", tmp_path / "core.onnx")
    proto = onnx.load(done.path)
    (last,) = (tensor for tensor in proto.graph.initializer if tensor.name == "to_three")
    last.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(last), "to_three"))
    onnx.save(proto, done.path)
    check = check_export(model, done.path, "core", photos)
    assert not check.within
    assert check.same_label < 1
    assert check.max_probability_difference > 1e-4
    assert lines(check)[-1].startswith("not within the limits of core")


def test_a_file_that_fieldguide_reads_is_run_as_a_model(model, photos, tmp_path):
    done = export(model, "int8", tmp_path / "small.onnx")
    check = check_export(model, done.path, "int8", photos)
    assert (check.form, check.n, check.size_bytes) == ("int8", 8, done.bytes_after)
    assert check.speed_ratio > 0


def test_without_a_readable_photo_nothing_is_compared(model, photos, tmp_path):
    done = export(model, "core", tmp_path / "core.onnx")
    with pytest.raises(DataError, match=r"no photo can be read.*none\.png"):
        check_export(model, done.path, "core", photos.take(np.array([3])))
    with pytest.raises(OptionError, match=r"to: must be one of core, int8, litert, .*; got 'tea'"):
        check_export(model, done.path, "tea", photos)


def test_of_files_for_boards_memory_is_told_and_not_this_machines_speed():
    found = ExportCheck(
        "litert-micro", 8, 1.0, 0.1, 0.1, 1.0, 45_000, 0.07, (), LIMITS["litert-micro"], 63_488
    )
    told = "\n".join(lines(found))
    assert "a board needs 45 kB for the file and at most 63 kB of memory" in told
    assert "times as" not in told
