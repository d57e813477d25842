"""What lies beside a published encoder."""

import json

import pytest

from encoders_made import (
    MEAN,
    SIZE,
    STD,
    encoder,
    published,
)
from fieldguide.backbones.encoders.export import export_encoder
from fieldguide.backbones.encoders.files import is_encoder, read_files
from fieldguide.errors import BackboneError


def test_the_publishers_files_say_size_mean_and_filter(tmp_path):
    folder = published(
        tmp_path / "e", encoder("map"), size={"shortest_edge": 40}, crop_size={"height": SIZE, "width": SIZE}
    )
    assert read_files(folder).size == SIZE
    (folder / "preprocessor_config.json").unlink()
    (folder / "open_clip_config.json").write_text(
        json.dumps({"preprocess_cfg": {"mean": MEAN, "std": STD, "size": 48, "interpolation": "bilinear"}})
    )
    files = read_files(folder)
    assert (files.size, files.mean, files.interpolation) == (48, tuple(MEAN), "bilinear")
    (folder / "open_clip_config.json").unlink()
    assert not read_files(folder).said
    assert "mean and deviation of ImageNet taken" in export_encoder(folder, SIZE).source


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"image_mean": [1, 2]}, "image_mean must be three numbers"),
        ({"image_std": [0.1, 0, 0.1]}, "image_std must be three"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, settings, said):
    with pytest.raises(BackboneError, match=said):
        read_files(published(tmp_path / "e", encoder("map"), **settings))


def test_a_folder_called_as_a_network_is_does_not_stand_in_for_it(tmp_path, monkeypatch):
    published(tmp_path / "efficientnet_lite0", encoder("map"))
    monkeypatch.chdir(tmp_path)
    assert not is_encoder("efficientnet_lite0")
    assert not is_encoder("")
    assert is_encoder("efficientnet_lite0/")
    assert is_encoder("./efficientnet_lite0")
