"""From a network in torch to a file that computes the same."""

import numpy as np
import onnx
import pytest
import torch

from exports_made import MEANS, SIZE, pixels, run
from fieldguide.backbones.timm_networks import onnx_export
from fieldguide.backbones.timm_networks.build import build_tapped
from fieldguide.errors import BackboneError
from tiny_backbone import tiny_weights


def test_the_file_is_what_the_seam_promises(tiny):
    model = onnx.load(tiny.path, load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    (source,) = model.graph.input
    (target,) = model.graph.output
    dims = [d.dim_param or d.dim_value for d in source.type.tensor_type.shape.dim]
    assert (source.name, source.type.tensor_type.elem_type) == ("pixels", onnx.TensorProto.UINT8)
    assert dims == ["batch", SIZE, SIZE, 3]
    assert [d.dim_param or d.dim_value for d in target.type.tensor_type.shape.dim] == ["batch", tiny.features]
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]
    assert model.ir_version <= 10
    assert not any(t.data_location == onnx.TensorProto.EXTERNAL for t in model.graph.initializer)
    assert {n.domain for n in model.graph.node} == {""}


def test_nothing_in_the_file_tells_of_the_machine_that_wrote_it(tiny):
    content = tiny.path.read_bytes()
    for word in (b"site-packages", b".py", b"stack_trace", torch.__version__.encode(), b"pytorch"):
        assert word not in content, word
    model = onnx.ModelProto.FromString(content)
    assert not model.metadata_props
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)


def test_a_batch_leaves_each_row_alone(tiny):
    images = pixels(9)
    together = run(tiny, images)[0]
    alone = np.concatenate([run(tiny, image[None])[0] for image in images])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)


def test_an_export_that_computes_something_else_is_refused(tiny, home):
    other = tiny_weights(home, seed=1)
    network = build_tapped("test_efficientnet", tiny.preprocessing, other, taps=MEANS, head=False)
    with pytest.raises(BackboneError, match="ONNX and torch differ by"):
        onnx_export._check(network, tiny.path.read_bytes(), "x")


def test_features_may_differ_by_a_part_of_their_usual_size():
    wanted = np.full((1, 4), 5e6, np.float32)
    wanted[0, 0] = 1.0  # a difference of large numbers
    rounded = wanted + np.array([[100, 0, 0, 0]], np.float32)
    onnx_export._compare([wanted], [rounded], "x")
    with pytest.raises(BackboneError, match="ONNX and torch differ by"):
        onnx_export._compare([wanted], [wanted + np.array([[1000, 0, 0, 0]], np.float32)], "x")
    small = wanted / 5e6
    with pytest.raises(BackboneError, match="ONNX and torch differ by"):
        onnx_export._compare([small], [small + 1e-3], "x")
