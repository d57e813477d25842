"""Whole networks give what they give in ONNX Runtime; what has no counterpart is refused by name."""

import onnx
import pytest

pytest.importorskip("ai_edge_litert", reason="the extra litert is not installed")

from ai_edge_litert.interpreter import Interpreter

from fieldguide.modelfile.exports.litert.builder import Graph
from fieldguide.modelfile.exports.litert.translation import translated
from fieldguide.modelfile.exports.litert.values import Untranslatable
from litert_made import model_of


@pytest.mark.parametrize(
    ("piece", "said"),
    [
        ("out = Erf (image)", "the operator Erf"),
        ("p = Cast <to: int = 1> (pixels) out = Neg (p)", "the operator Neg"),
        ("p = Cast <to: int = 1> (pixels) out = Relu (p)", "pixels that are not turned"),
        ("out = Transpose <perm: ints = [0, 1, 3, 2]> (image)", "a Transpose of something else"),
        ("out = Softmax <axis: int = 1> (image)", "a Softmax over something else than classes"),
        ("out = MatMul (image, image)", "a product of two computed tables"),
        ("out = Gather <axis: int = 1> (image, columns)", "columns of something else than a table"),
        ("whole = Cast <to: int = 6> (image) out = Cast <to: int = 1> (whole)", "a Cast to something else"),
        ("out = Conv <kernel_shape: ints = [3, 3], dilations: ints = [2, 2]> (image, w3)", "dilated"),
    ],
)
def test_what_has_no_counterpart_is_refused_by_name(piece, said):
    with pytest.raises(Untranslatable, match=said):
        translated(model_of(piece), Graph())


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("tf_efficientnet_lite0", 64),
        ("efficientnet_b0", 75),
        ("mobilenetv2_100", 65),
        ("mobilenetv3_large_100", 99),
        ("resnet18", 77),
        ("resnet50", 64),
        ("vgg11_bn", 224),
    ],
)
def test_networks_of_the_field(name, size, tmp_path):
    pytest.importorskip("torch")
    from safetensors.torch import save_file

    from fieldguide.backbones.plain.build import build
    from plain_made import assert_near, network, pixels, preprocessing, run

    save_file(network(name).state_dict(), tmp_path / "weights.safetensors")
    built = build(name, tmp_path / "weights.safetensors", preprocessing(size), head=True)
    images = pixels(1, size)
    graph = Graph()
    content = graph.finished(*translated(onnx.load_from_string(built.model), graph), b"{}")
    found = Interpreter(model_content=content).get_signature_runner()(pixels=images)
    for output, wanted in run(built.model, images).items():
        assert_near(found[output], wanted, 1e-4)
