"""An encoder of images and texts in miniature that knows three colours, as transformers.js lays one out."""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

SIZE = 32
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 40, 210)}
WORDS = ["<pad>", "<s>", "</s>", "<unk>", "a", "photo", "of", "an", "image", *COLOURS]
MEAN = [0.5, 0.5, 0.5]


def _saved(path, nodes, inputs, outputs, constants):
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tower", inputs, outputs, tensors)
    onnx.save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)


def image_tower(path, output="image_embeds"):
    """The mean colour of an image, through a matrix, and a constant."""
    nodes = [
        helper.make_node("ReduceMean", ["pixel_values", "axes"], ["mean"], keepdims=0),
        helper.make_node("Gemm", ["mean", "weights", "bias"], [output]),
    ]
    constants = {
        "axes": np.array([2, 3], np.int64),
        "weights": np.concatenate([np.eye(3), np.zeros((3, 1))], axis=1).astype(np.float32),
        "bias": np.array([0, 0, 0, 0.2], np.float32),
    }
    given = helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])
    made = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", 4])
    _saved(path, nodes, [given], [made], constants)


def text_tower(path, output="text_embeds", width=4, mask=True):
    """The sum of the vectors of a text's words; only colours have one, all else adds a little of a fourth."""
    table = np.zeros((len(WORDS), width), np.float32)
    table[4:9, min(3, width - 1)] = 0.05
    for name in COLOURS:
        shade = np.array(COLOURS[name]) / 255 - 0.5
        table[WORDS.index(name), :3] = shade[: width if width < 3 else 3]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("ReduceSum", ["words", "axis"], [output], keepdims=0),
    ]
    names = ["input_ids", *(["attention_mask"] if mask else [])]
    if mask:
        nodes.insert(1, helper.make_node("Unsqueeze", ["attention_mask", "last"], ["seen"]))
        nodes.insert(2, helper.make_node("Cast", ["seen"], ["weight"], to=TensorProto.FLOAT))
        nodes.insert(3, helper.make_node("Mul", ["words", "weight"], ["weighted"]))
        nodes[4].input[0] = "weighted"
    constants = {"table": table, "axis": np.array([1], np.int64)}
    if mask:
        constants["last"] = np.array([2], np.int64)
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in names]
    made = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", width])
    _saved(path, nodes, inputs, [made], constants)


def tokenizer(path):
    """Words in small letters, with a token at each end."""
    found = Tokenizer(
        models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>")
    )
    found.normalizer = normalizers.Lowercase()
    found.pre_tokenizer = pre_tokenizers.Whitespace()
    found.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    found.save(str(path))


def encoder_of_colours(folder, family="clip"):
    """Both towers, tokenizer and settings."""
    (folder / "onnx").mkdir(parents=True)
    siglip = family != "clip"
    image_tower(folder / "onnx" / "vision_model.onnx", "pooler_output" if siglip else "image_embeds")
    text_tower(
        folder / "onnx" / "text_model.onnx", "pooler_output" if siglip else "text_embeds", mask=not siglip
    )
    tokenizer(folder / "tokenizer.json")
    settings = {
        "_name_or_path": "someone/colours",
        "license": "mit",
        "model_type": family,
        "text_config": {"max_position_embeddings": 16},
    }
    (folder / "config.json").write_text(json.dumps(settings))
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": "<pad>"}))
    image = {"image_mean": MEAN, "image_std": [1, 1, 1], "size": {"height": SIZE, "width": SIZE}}
    (folder / "preprocessor_config.json").write_text(json.dumps(image))
    return folder


def coloured_photos(folder, count, seed=0, noise=25, names=tuple(COLOURS)):
    """Class folders of photos of nearly one colour each."""
    random = np.random.default_rng(seed)
    for name in names:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            colour = np.array(COLOURS.get(name, (128, 128, 128))) + random.normal(0, noise, 3)
            grain = random.normal(0, 30, (6, 6, 3))
            pixels = np.kron(grain, np.ones((8, 8, 1))) + colour
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name / f"{number:03}.png")
    return folder
