"""What lies beside a published text encoder."""

import json

import pytest

from fieldguide.backbones.encoders.text_files import read_text_files
from fieldguide.errors import BackboneError


def published(folder, **settings):
    (folder / "onnx").mkdir(parents=True)
    for name in ("onnx/text_model.onnx", "tokenizer.json"):
        (folder / name).touch()
    (folder / "config.json").write_text(json.dumps(settings))
    return folder


def test_texts_of_clip_end_where_they_end(tmp_path):
    files = read_text_files(published(tmp_path / "c", model_type="clip"))
    assert (files.longest, files.pad, files.lower) == (77, None, False)


def test_texts_of_siglip_are_filled_up_in_small_letters(tmp_path):
    text = {"max_position_embeddings": 48, "pad_token_id": 3}
    folder = published(tmp_path / "s", model_type="siglip2", text_config=text)
    files = read_text_files(folder)
    assert (files.longest, files.pad, files.lower) == (48, 3, True)
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": {"content": "<pad>"}}))
    assert read_text_files(folder).pad == "<pad>"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("onnx/text_model.onnx", "holds no onnx/text_model.onnx"),
        ("tokenizer.json", "holds no tokenizer.json"),
    ],
)
def test_what_is_missing_is_named(tmp_path, missing, said):
    folder = published(tmp_path / "m", model_type="clip")
    (folder / missing).unlink()
    with pytest.raises(BackboneError, match=said):
        read_text_files(folder)


@pytest.mark.parametrize("longest", [1, "77", 10**9, True])
def test_a_length_that_no_encoder_has_is_refused(tmp_path, longest):
    folder = published(tmp_path / "l", text_config={"max_position_embeddings": longest})
    with pytest.raises(BackboneError, match="max_position_embeddings must be a whole number from 2 to 4096"):
        read_text_files(folder)
