"""A backbone becomes one ONNX file: what is in it, that it is the same every time, and how it is cached."""

import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from exports_made import MEANS, SIZE, run
from fieldguide.backbones.export import export
from fieldguide.errors import BackboneError, OptionError
from fieldguide.images.decoding import open_image
from hub_cache import put_into_hub


@pytest.fixture(autouse=True)
def shared_cache(home, monkeypatch):
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(home / "cache"))


EXPORT = (
    "import sys; from pathlib import Path; from fieldguide.backbones.export import export; "
    "from fieldguide.backbones.taps import Taps; "
    f"e = export('test_efficientnet', size={SIZE}, weights=Path(sys.argv[1]), taps={MEANS}); "
    "print(e.path, e.digest)"
)


def start(weights, cache, folder, hash_seed, **more):
    environment = {**os.environ, "FIELDGUIDE_CACHE": str(cache), "PYTHONHASHSEED": hash_seed, **more}
    command = [sys.executable, "-W", "error", "-c", EXPORT, str(weights)]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_race_leave_one_file_with_the_same_bytes(tiny, weights, tmp_path):
    cache = tmp_path / "cache"
    racing = [start(weights, cache, folder, seed) for folder, seed in ((tmp_path, "1"), ("/", "2"))]
    answers = [process.communicate()[0].split() for process in racing]
    assert [process.returncode for process in racing] == [0, 0]
    assert answers[0] == answers[1]
    assert answers[0][1] == tiny.digest
    assert Path(answers[0][0]).read_bytes() == tiny.path.read_bytes()
    assert sorted(p.suffix for p in (cache / "backbones").iterdir()) == [".json", ".onnx"]


def test_a_plain_network_needs_neither_torch_nor_timm(lite0):
    code = (
        "import sys; from fieldguide.backbones.export import export; "
        "e = export('efficientnet_lite0', size=224, head=True); "
        "assert not {'torch', 'timm'} & set(sys.modules); print(e.digest)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == lite0.digest


@pytest.mark.parametrize("size", [0, 31, 1025, -224])
def test_sizes_out_of_range_are_refused(size, weights):
    with pytest.raises(OptionError, match=f"from 32 to 1024 pixels, got {size}"):
        export("test_efficientnet", size=size, weights=weights)


def test_a_missing_weights_file_is_refused(tmp_path):
    with pytest.raises(BackboneError, match="no such weights file"):
        export("resnet18", weights=tmp_path / "none.safetensors")


def test_weights_in_the_hubs_cache_are_used_without_a_network(weights, tiny, tmp_path):
    put_into_hub(tmp_path / "hub", "timm/test_efficientnet.r160_in1k", "model.safetensors", weights)
    code = EXPORT.replace(", weights=Path(sys.argv[1])", "")
    environment = {
        **os.environ,
        "HF_HOME": str(tmp_path),
        "HF_HUB_OFFLINE": "1",
        "FIELDGUIDE_CACHE": str(tmp_path),
    }
    environment.pop("HF_HUB_CACHE", None)
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[1] == tiny.digest
    assert done.stderr == ""


def test_without_network_and_weights_the_error_says_what_can_be_done(tmp_path):
    code = "from fieldguide.backbones.export import export; export('resnet18')"
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    environment.pop("HF_HUB_CACHE", None)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    for part in ("resnet18", "timm/resnet18.a1_in1k", "efficientnet_lite0", "--weights FILE"):
        assert part in last


@pytest.fixture(scope="module")
def lite0(home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDGUIDE_CACHE", str(home / "cache"))
        return export("efficientnet_lite0", size=224, head=True)


@pytest.mark.parametrize(("photo", "label"), [(0, "palace"), (1, "daisy")])
def test_the_packaged_weights_know_what_photos_show(lite0, photo, label):
    """Wrongly mapped tensors or a wrong normalisation would show here."""
    image = open_image(load_sample_images().images[photo])
    logits = run(lite0, lite0.preprocessing.resize(image)[None], ("logits",))[0][0]
    assert label in [lite0.classes[i] for i in np.argsort(-logits)[:3]]


def test_an_exported_backbone_is_plain_data(tiny):
    assert asdict(tiny)["name"] == "test_efficientnet"
    assert tiny.licence == "apache-2.0"
    assert tiny.source.startswith("file test_efficientnet")
    assert tiny.preprocessing.mode == "squash"
