"""Layers by their place, found in a file under whatever names they have there."""

from pathlib import Path

import numpy as np
import pytest

from fieldguide.backbones.plain.layers import KERAS, Layers, Names, WeightLayout
from fieldguide.errors import BackboneError


def floats(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def layers(state, words=None, bgr=False):
    names = {"stem": Names("conv", "bn"), "classifier": Names("fc")}
    layout = WeightLayout("somebody", names, *([words] if words else []), bgr=bgr)
    return Layers(state, layout, Path("w.bin"), "net")


def norm(channels, words=("weight", "bias", "running_mean", "running_var")):
    return {f"bn.{word}": floats(channels) + 1 for word in words}


def test_a_kernel_is_taken_with_its_norm_and_let_go():
    made = layers({"conv.weight": floats(4, 3, 2, 2), **norm(4), "bn.num_batches_tracked": np.array(7)})
    kernel = made.kernel("stem", (4, 3, 2, 2), epsilon=1e-3)
    assert (kernel.weight == floats(4, 3, 2, 2)).all() and kernel.bias is None
    assert kernel.norm.epsilon == 1e-3
    made.finish()
    assert not made.has("stem")


def test_kernels_of_keras_are_turned_and_channels_too():
    turned = floats(2, 2, 3, 4)
    state = {"conv.kernel": turned, **norm(4, KERAS.norm)}
    kernel = layers(state, KERAS, bgr=True).kernel("stem", (4, 3, 2, 2), 1e-3)
    np.testing.assert_array_equal(kernel.weight, turned.transpose(3, 2, 0, 1)[:, ::-1])


def test_a_linear_layer_may_stand_for_a_convolution_as_large_as_the_map():
    flat = floats(4, 12)
    kernel = layers({"conv.weight": flat, **norm(4)}).kernel("stem", (4, 3, 2, 2), 1e-3)
    np.testing.assert_array_equal(kernel.weight, flat.reshape(4, 3, 2, 2))


def test_the_width_is_what_the_file_says():
    assert layers({"fc.weight": floats(7, 4)}).width("classifier") == 7
    assert layers({"fc.kernel": floats(4, 7)}, KERAS).width("classifier") == 7


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({}, r"tensor conv\.weight of shape \(4, 3, 2, 2\) is missing"),
        ({"conv.weight": floats(5, 3, 2, 2)}, r"has shape \(5, 3, 2, 2\), the network needs \(4, 3, 2, 2\)"),
        (
            {"conv.weight": floats(4, 3, 2, 2) * np.nan},
            "holds values that are not finite; the file is damaged",
        ),
    ],
)
def test_the_first_tensor_that_does_not_fit_is_named(state, told):
    with pytest.raises(BackboneError, match=rf"w\.bin: does not fit net in somebody's layout: .*{told}"):
        layers(state).kernel("stem", (4, 3, 2, 2), 1e-3)


def test_what_is_left_over_is_named_unless_it_is_not_needed():
    made = layers({"fc.weight": floats(7, 4), "fc.bias": floats(7), "extra": floats(1)})
    made.leave_out("classifier")
    with pytest.raises(BackboneError, match="tensor extra belongs to no part of the network"):
        made.finish()


def test_the_names_of_all_weights_tell_publishers_apart():
    layout = WeightLayout("somebody", {"stem": Names("a.b"), "classifier": Names("c")}, KERAS)
    assert layout.tensors == {"a.b.kernel", "c.kernel"}
