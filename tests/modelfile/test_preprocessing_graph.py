"""The graph resizes as Pillow does, to the bit, with operators that every runtime has."""

import functools

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.modelfile.operators import IR_VERSION, OPSET
from fieldguide.modelfile.preprocessing_graph import preprocessing_model

SIZE = 40
# (width, height): tiny, a line, tall, wide, smaller, both sides shrinking in either order, one side kept
SHAPES = [
    (1, 1),
    (1, 500),
    (500, 1),
    (50, 700),
    (700, 50),
    (9, 13),
    (90, 260),
    (260, 90),
    (40, 93),
    (93, 40),
    (640, 480),
    (1283, 979),
]
WAYS = [(mode, filter_) for mode in ("squash", "crop") for filter_ in ("bicubic", "bilinear")]


@functools.cache
def session(mode, interpolation, size=SIZE):
    model = preprocessing_model(Preprocessing(size, mode, interpolation))
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def photo(width, height, seed=0):
    """Smooth areas, edges and noise, as in a photo."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (max(height // 40, 2), max(width // 40, 2), 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    smooth[height // 3 : height // 2] = 255 * random.integers(0, 2, 3)
    return np.clip(smooth + random.integers(-12, 13, smooth.shape), 0, 255).astype(np.uint8)


def noise(width, height):
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def difference(got, image, preprocessing):
    """Largest difference in grey levels, and the share of values that differ at all."""
    expected = preprocessing.resize(Image.fromarray(image)).astype(int)
    apart = np.abs(got.astype(int) - expected)
    return apart.max(), (apart > 0).mean()


def agrees(got, image, preprocessing):
    return difference(got, image, preprocessing) == (0, 0)


@pytest.mark.parametrize("make", [photo, noise])
@pytest.mark.parametrize("way", WAYS, ids="-".join)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_graph_agrees_with_pillow(shape, way, make):
    image = make(*shape)
    (got,) = session(*way).run(None, {"image": image[None]})
    assert got.shape == (1, SIZE, SIZE, 3)
    assert agrees(got[0], image, Preprocessing(SIZE, *way))


@pytest.mark.parametrize("size", [1, 15, 64, 144, 160, 224, 260, 288, 299, 384, 512])
def test_at_the_sizes_of_real_networks(size):
    for shape in ((1200, 1601), (2 * size, 3 * size), (4 * size - 1, 4 * size + 1), (233, 97)):
        image = photo(*shape)
        (got,) = session("squash", "bicubic", size).run(None, {"image": image[None]})
        assert agrees(got[0], image, Preprocessing(size))


@given(st.integers(1, 700), st.integers(1, 700), st.sampled_from(WAYS))
def test_any_shape(width, height, way):
    image = noise(width, height)
    (got,) = session(*way).run(None, {"image": image[None]})
    assert agrees(got[0], image, Preprocessing(SIZE, *way))


def test_control_flow_and_double_precision_are_not_needed():
    graph = preprocessing_model(Preprocessing(SIZE)).graph
    assert {node.op_type for node in graph.node}.isdisjoint({"If", "Loop", "Range", "Where", "Resize"})
    casts = {node.attribute[0].i for node in graph.node if node.op_type == "Cast"}
    assert casts <= {TensorProto.FLOAT, TensorProto.INT64, TensorProto.UINT8}
    assert {tensor.data_type for tensor in graph.initializer} == {TensorProto.FLOAT, TensorProto.INT64}


def test_preprocessing_of_the_first_version_is_not_written():
    with pytest.raises(ValueError, match="shrinks by halving"):
        preprocessing_model(Preprocessing(SIZE, shrink="none"))


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_pixels_of_the_networks_size_pass_unchanged(way):
    images = np.stack([noise(SIZE, SIZE), photo(SIZE, SIZE)])
    (got,) = session(*way).run(None, {"image": images})
    np.testing.assert_array_equal(got, images)


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_each_image_of_a_batch_is_resized_by_itself(way):
    images = np.stack([photo(120, 77, 1), photo(120, 77, 2)])
    (got,) = session(*way).run(None, {"image": images})
    for one, image in zip(got, images, strict=True):
        np.testing.assert_array_equal(one, session(*way).run(None, {"image": image[None]})[0][0])
        assert agrees(one, image, Preprocessing(SIZE, *way))


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_the_same_bytes_every_time(way):
    first, second = (
        preprocessing_model(Preprocessing(SIZE, *way)).SerializeToString(deterministic=True) for _ in range(2)
    )
    assert first == second


def test_its_ends_are_those_of_the_contract():
    model = preprocessing_model(Preprocessing(SIZE))
    (image,), (pixels,) = model.graph.input, model.graph.output
    dims = [[d.dim_param or d.dim_value for d in end.type.tensor_type.shape.dim] for end in (image, pixels)]
    assert dims == [["batch", "height", "width", 3], ["batch", SIZE, SIZE, 3]]
    assert (image.name, pixels.name) == ("image", "pixels")
    assert [end.type.tensor_type.elem_type for end in (image, pixels)] == [TensorProto.UINT8] * 2
    assert not model.functions
    assert {node.domain for node in model.graph.node} == {""}
    assert model.ir_version == IR_VERSION


def test_onnxs_own_resize_would_not_do():
    """The negative control: the tolerance above tells Pillow's filter from the one that ONNX brings."""
    image = photo(300, 900)
    sizes = numpy_helper.from_array(np.array([1, 3, SIZE, SIZE]), "sizes")
    resize = helper.make_node(
        "Resize", ["plane", "", "", "sizes"], ["small"], mode="cubic", cubic_coeff_a=-0.5, antialias=1
    )
    ends = [
        helper.make_tensor_value_info("plane", TensorProto.FLOAT, [1, 3, 900, 300]),
        helper.make_tensor_value_info("small", TensorProto.FLOAT, [1, 3, SIZE, SIZE]),
    ]
    graph = helper.make_graph([resize], "resize", ends[:1], ends[1:], [sizes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    runner = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (small,) = runner.run(None, {"plane": image.transpose(2, 0, 1)[None].astype(np.float32)})
    got = np.clip(np.floor(small[0] + 0.5), 0, 255).astype(np.uint8).transpose(1, 2, 0)
    largest, share = difference(got, image, Preprocessing(SIZE))
    assert share > 0.05, (largest, share)
    assert not agrees(got, image, Preprocessing(SIZE))
    assert agrees(
        session("squash", "bicubic").run(None, {"image": image[None]})[0][0], image, Preprocessing(SIZE)
    )
