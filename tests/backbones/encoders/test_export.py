"""Published encoders as backbones: every layout, kind of output and precision, and what is refused."""

import numpy as np
import onnx
import pytest

import fieldguide
from encoders_made import (
    SIZE,
    WIDTH,
    encoder,
    features,
    pixels,
    published,
)
from fieldguide import cli
from fieldguide.backbones.catalogue import find, usable_offline
from fieldguide.backbones.encoders.export import export_encoder
from fieldguide.backbones.export import export
from fieldguide.backbones.extraction import extract
from fieldguide.errors import BackboneError, OptionError
from fieldguide.learning.train import TrainOptions, train
from fieldguide.recipes.common import Options
from hub_cache import put_into_hub


def test_a_real_network_in_that_layout_gives_the_features_of_its_own_name(tmp_path):
    """EfficientNet-Lite0 from its package, its last map published as an encoder."""
    own = export("efficientnet_lite0", size=96)
    graph = onnx.load(own.path)
    last = [node for node in graph.graph.node if node.op_type == "Clip"][-1].output[0]
    first = next(node for node in graph.graph.node if node.op_type == "Conv")
    inner = onnx.utils.Extractor(onnx.shape_inference.infer_shapes(graph)).extract_model(
        [first.input[0]], [last]
    )
    renamed = onnx.compose.add_prefix(inner, "x/")
    settings = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": 96, "resample": 3}
    made = export_encoder(published(tmp_path / "lite0", renamed, **settings))
    depths = dict(own.depths)
    start = own.features - depths["final"] - depths["final:max"]
    np.testing.assert_allclose(
        features(made, pixels(2, 96)), features(own, pixels(2, 96))[:, start:], atol=1e-4
    )


def test_damaged_and_missing_files_are_refused(tmp_path):
    with pytest.raises(BackboneError, match="holds no encoder; looked for"):
        export_encoder(tmp_path)
    with pytest.raises(BackboneError, match="no such file"):
        export_encoder(tmp_path / "x.onnx")
    (tmp_path / "x.onnx").write_bytes(b"\xff" * 100)
    with pytest.raises(BackboneError, match="cannot be read as an ONNX graph"):
        export_encoder(tmp_path / "x.onnx")
    folder = published(tmp_path / "e", encoder("map"))
    (folder / "config.json").write_text("[" * 50_000)
    with pytest.raises(BackboneError, match=r"config\.json: cannot be read as settings"):
        export_encoder(folder)


def test_a_graph_of_one_size_takes_no_other(tmp_path):
    folder = published(tmp_path / "e", encoder("map", size=SIZE), size=64)
    assert export_encoder(folder).preprocessing.size == SIZE
    with pytest.raises(BackboneError, match=f"takes images of {SIZE} pixels only, got 64"):
        export_encoder(folder, 64)


def test_it_is_a_backbone_from_the_command_line_to_the_file(tmp_path, paint_classes, capsys):
    folder = published(tmp_path / "encoder", encoder("both"))
    photos = paint_classes(tmp_path / "photos", {"red": 12, "green": 12, "blue": 12})
    out = tmp_path / "model.onnx"
    assert cli.main(["train", str(photos), "--out", str(out), "--backbone", str(folder)]) == 0
    assert "backbone someone/encoder, 32 × 32 pixels: chosen by hand" in capsys.readouterr().out
    model = fieldguide.load(out)
    assert model.predict([str(next(photos.glob("red/*.png")))])[0].label == "red"
    assert model.card["backbone"]["licence"] == "apache-2.0"
    vectors = extract([str(path) for path in sorted(photos.rglob("*.png"))], export(str(folder))).vectors
    assert vectors.shape == (36, 7 + 2 * WIDTH)


def test_it_has_no_classes_and_no_other_weights(tmp_path):
    folder = published(tmp_path / "e", encoder("map"))
    for options in ({"head": True}, {"weights": tmp_path / "w.pth"}):
        with pytest.raises(OptionError, match="an encoder brings its own weights and has no classes"):
            export(str(folder), **options)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub cache with a small encoder where the catalogue's `clip_vit_b32` is looked for, and no network."""
    constants = pytest.importorskip("huggingface_hub.constants")
    folder = published(tmp_path / "encoder", encoder("vector"))
    for file in ("config.json", "preprocessor_config.json"):
        put_into_hub(tmp_path / "hub", "Xenova/clip-vit-base-patch32", file, folder / file)
    graph = folder / "onnx" / "model.onnx"
    put_into_hub(tmp_path / "hub", "Xenova/clip-vit-base-patch32", "onnx/vision_model.onnx", graph)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return folder


def test_names_of_the_catalogue_are_found_in_the_hubs_cache(hub):
    by_name, by_path = export("clip_vit_b32"), export_encoder(hub)
    assert (by_name.name, by_name.licence) == ("clip_vit_b32", "mit")
    assert by_name.source == "Hugging Face hub Xenova/clip-vit-base-patch32"
    assert (by_name.digest, by_name.preprocessing) == (by_path.digest, by_path.preprocessing)
    assert usable_offline(find("clip_vit_b32"))
    assert not find("clip_vit_b32").needs_torch


def test_what_is_not_in_the_hubs_cache_says_where_to_get_it(hub):
    with pytest.raises(BackboneError, match=r"cannot be downloaded now.*the folder with --backbone FOLDER"):
        export("dinov2_vits14")


def test_a_published_graph_cannot_be_fine_tuned(hub, tmp_path, paint_classes):
    pytest.importorskip("torch")
    photos = paint_classes(tmp_path / "photos", {"red": 3, "blue": 3})
    options = TrainOptions(photos, tmp_path / "m.onnx", "finetune", Options("clip_vit_b32"))
    with pytest.raises(OptionError, match="clip_vit_b32 is a graph that cannot learn"):
        train(options)
