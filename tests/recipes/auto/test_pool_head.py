"""The head of a pool gives what its members give, pooled."""

import numpy as np
import onnx
import onnxruntime
import pytest

from fieldguide.modelfile.graph import pretrained_head_model
from fieldguide.recipes.auto.pool_head import PoolHead, PoolMember, pool_head_model
from fieldguide.recipes.auto.weights import KINDS, pooled

CLASSES = 3


def head(features, seed):
    """From features to the outputs, by logits that are linear in them."""
    weights = np.random.default_rng(seed).normal(size=(features, CLASSES)).astype(np.float32)
    start = onnx.parser.parse_model(
        f'<ir_version: 10, opset_import: ["" : 18]> linear (float[batch, {features}] given) => '
        f"(float[batch, {CLASSES}] logits, float[batch, {features}] features)"
        "{ logits = MatMul (given, weights) features = Identity (given) }"
    )
    start.graph.initializer.append(onnx.numpy_helper.from_array(weights, "weights"))
    end = onnx.compose.add_prefix(
        pretrained_head_model(CLASSES, features), "end/", rename_inputs=False, rename_outputs=False
    )
    pairs = [("logits", "logits"), ("features", "features")]
    return onnx.compose.merge_models(start, end, io_map=pairs)


def run(model, name, given):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {name: given})


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_are_pooled_and_tempered(kind):
    given = np.random.default_rng(9).normal(size=(5, 9)).astype(np.float32)
    members = [PoolMember(head(4, 0), (0,), 0.25), PoolMember(head(9, 1), (0, 1), 0.75)]
    model = pool_head_model(PoolHead(members, (4, 5), kind, typicality=1, temperature=1.5, classes=CLASSES))
    probabilities, typicality, embedding = run(model, "features", given)
    own = [run(members[0].head, "given", given[:, :4])[0], run(members[1].head, "given", given)[0]]
    expected = pooled(np.stack(own).astype(float), np.array([0.25, 0.75]), kind) / 1.5
    expected = np.exp(expected) / np.exp(expected).sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    np.testing.assert_array_equal(embedding, given)
    assert typicality.shape == (5,)


def test_members_that_stand_on_the_same_features_share_them():
    members = [PoolMember(head(4, 0), (0,), 0.5), PoolMember(head(4, 1), (0,), 0.5)]
    model = pool_head_model(PoolHead(members, (4,), "linear", typicality=0, temperature=1.0, classes=CLASSES))
    given = np.ones((2, 4), np.float32)
    expected = sum(run(member.head, "given", given)[0] for member in members) / 2
    np.testing.assert_allclose(run(model, "features", given)[0], expected, atol=1e-6)
