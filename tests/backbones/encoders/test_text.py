"""Texts as vectors, by towers in miniature."""

import json
import sys

import numpy as np
import pytest

pytest.importorskip("tokenizers")
from fieldguide.backbones.encoders.text import embedded
from fieldguide.errors import BackboneError
from texts_made import COLOURS, WORDS, encoder_of_colours, text_tower


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_words_have_the_vectors_of_what_they_say(tmp_path, family):
    folder = encoder_of_colours(tmp_path / "e", family)
    vectors = embedded(folder, [f"a photo of {name}" for name in COLOURS])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    shades = np.array(list(COLOURS.values())) / 255 - 0.5
    expected = np.concatenate([shades, np.full((3, 1), 3 * 0.05)], axis=1)  # "a", "photo" and "of"
    assert np.allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)


def test_a_text_that_is_too_long_is_cut_but_keeps_its_end(tmp_path):
    folder = encoder_of_colours(tmp_path / "e")
    short, long = embedded(folder, ["red " * 14, "red " * 14 + "blue " * 30])
    assert np.allclose(short, long)


def test_siglip_reads_small_letters(tmp_path):
    folder = encoder_of_colours(tmp_path / "e", "siglip")
    tokens = json.loads((folder / "tokenizer.json").read_text())
    tokens["normalizer"] = None
    (folder / "tokenizer.json").write_text(json.dumps(tokens))
    small, large = embedded(folder, ["red", "RED"])
    assert np.allclose(small, large)


def test_a_damaged_tokenizer_is_named(tmp_path):
    folder = encoder_of_colours(tmp_path / "e")
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(BackboneError, match=r"tokenizer\.json: cannot be read as a tokenizer"):
        embedded(folder, ["red"])


def test_a_token_that_fills_up_must_be_known(tmp_path):
    folder = encoder_of_colours(tmp_path / "e", "siglip")
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": "<nowhere>"}))
    with pytest.raises(BackboneError, match="does not know the token '<nowhere>'"):
        embedded(folder, ["red"])


def test_another_networks_graph_is_named(tmp_path):
    folder = encoder_of_colours(tmp_path / "e")
    vision = (folder / "onnx" / "vision_model.onnx").read_bytes()
    (folder / "onnx" / "text_model.onnx").write_bytes(vision)
    with pytest.raises(BackboneError, match="takes input_ids and attention_mask, got pixel_values"):
        embedded(folder, ["red"])
    (folder / "onnx" / "text_model.onnx").write_bytes(b"no graph")
    with pytest.raises(BackboneError, match="cannot load it"):
        embedded(folder, ["red"])


def test_a_vector_of_nothing_is_refused(tmp_path):
    folder = encoder_of_colours(tmp_path / "e")
    (folder / "config.json").write_text(json.dumps({"text_config": {"max_position_embeddings": 16}}))
    assert "<unk>" in WORDS
    with pytest.raises(BackboneError, match="gives no vector for 'oak'"):
        embedded(folder, ["oak"])  # an unknown word alone, whose vector is nothing


def test_without_the_library_its_installation_is_named(tmp_path, monkeypatch):
    folder = encoder_of_colours(tmp_path / "e")
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(BackboneError, match="not installed; run: pip install"):
        embedded(folder, ["red"])


def test_a_vector_may_be_the_only_output_whatever_its_name(tmp_path):
    folder = encoder_of_colours(tmp_path / "e")
    text_tower(folder / "onnx" / "text_model.onnx", output="sentence")
    assert embedded(folder, ["red"]).shape == (1, 4)
