"""Hostile model files, refused in time, by the reader, its checks, constants and tensors together.

Every attack changes the tiny model, which alone passes, and is sealed as an attacker would seal it.
"""

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from fieldguide.errors import ModelFileError
from fieldguide.modelfile.artifact import seal
from hostile_model import constant, field, graph_with, load, varint
from tiny_model import card, tiny_proto, with_card


def weights_of(proto):
    return next(tensor for tensor in proto.graph.initializer if tensor.name == "weights")


def node(proto, *arguments, first=False, **attributes):
    made = helper.make_node(*arguments, **attributes)
    proto.graph.node.insert(0, made) if first else proto.graph.node.append(made)


def external(tensor, location="weights.bin", **more):
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **more}.items():
        tensor.external_data.add(key=key, value=str(value))


def branch(name, inner=None):
    """A graph that gives a constant, or what `inner` gives."""
    made = inner or [helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.ones(1)))]
    return helper.make_graph(made, name, [], [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None)])


ATTACKS = {}


def attack(words):
    def register(function):
        ATTACKS[function.__name__] = (function, words)
        return function

    return register


@attack("external data")
def external_data_beside(proto):
    external(weights_of(proto))


@attack("external data")
def external_data_above(proto):
    external(weights_of(proto), "../../secret")


@attack("external data")
def external_data_of_the_process(proto):
    external(weights_of(proto), "/proc/self/environ", offset=-1, length=2**62)


@attack("external data")
def external_data_in_an_attribute(proto):
    tensor = numpy_helper.from_array(np.ones(3, np.float32))
    external(tensor)
    node(proto, "Constant", [], ["stolen"], value=tensor)


@attack("external data")
def external_data_in_a_branch(proto):
    tensor = numpy_helper.from_array(np.ones(3, np.float32))
    external(tensor)
    inner = [helper.make_node("Constant", [], ["inner"], value=tensor)]
    constant(proto, "yes", True)
    node(proto, "If", ["yes"], ["x"], then_branch=branch("inner", inner), else_branch=branch("other"))


@attack("external data")
def external_data_without_its_flag(proto):
    weights_of(proto).external_data.add(key="location", value="/etc/passwd")


@attack("another file")
def external_data_by_flag_alone(proto):
    weights_of(proto).data_location = TensorProto.EXTERNAL


@attack("data_location has the value 4294967297")
def external_data_by_a_number_that_others_cut(proto):
    tensor = weights_of(proto).SerializeToString() + field(14, 0, varint(2**32 + 1))
    del proto.graph.initializer[1]
    return graph_with(proto, field(5, 2, tensor))


@attack("sparse tensors")
def sparse_weights(proto):
    values, places = numpy_helper.from_array(np.ones(1, np.float32), "s"), np.zeros(1, np.int64)
    sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(places), [2**40])
    proto.graph.sparse_initializer.append(sparse)


@attack("functions of its own")
def local_functions(proto):
    made = helper.make_node("Relu", ["x"], ["y"])
    proto.functions.append(
        helper.make_function("evil", "f", ["x"], ["y"], [made], [helper.make_opsetid("", 18)])
    )


@attack("training information")
def training_information(proto):
    proto.training_info.add()


@attack("domain 'com.evil'")
def operators_of_a_stranger(proto):
    proto.opset_import.append(helper.make_opsetid("com.evil", 1))
    node(proto, "Steal", ["image"], ["x"], domain="com.evil")


@attack("domain 'com.microsoft'")
def operators_beyond_the_standard(proto):
    node(proto, "EPContext", ["image"], ["x"], domain="com.microsoft")


@attack("domain 'com.evil'")
def a_domain_that_is_only_imported(proto):
    proto.opset_import.append(helper.make_opsetid("com.evil", 1))


@attack("operator 'TreeEnsembleRegressor' is not allowed")
def trees(proto):
    node(proto, "TreeEnsembleRegressor", ["embedding"], ["x"], domain="ai.onnx.ml")


@attack("operator 'Loop' is not allowed")
def endless_loop(proto):
    node(proto, "Loop", ["", "", "image"], ["x"], body=branch("x"))


@attack("operator 'RandomNormal' is not allowed")
def dice(proto):
    node(proto, "RandomNormal", [], ["x"], shape=[3])


@attack(r"operator 'Conv\\x00' is not allowed")
def operator_with_a_null(proto):
    node(proto, "Relu", ["image"], ["x"])
    return graph_with(proto, field(1, 2, field(4, 2, b"Conv\0")))


@attack("ConstantOfShape would make 1.1e.12 elements")
def terabytes_of_zeros(proto):
    constant(proto, "wanted", [1_100_000, 1_000_000])
    node(proto, "ConstantOfShape", ["wanted"], ["x"])


@attack("ConstantOfShape would make")
def terabytes_of_zeros_by_a_constant_node(proto):
    node(proto, "Constant", [], ["wanted"], value_ints=[10**6, 10**6])
    node(proto, "ConstantOfShape", ["wanted"], ["x"])


@attack("hidden behind a computation")
def terabytes_of_zeros_by_a_computed_size(proto):
    constant(proto, "million", [10**6])
    node(proto, "Mul", ["million", "million"], ["wanted"])
    node(proto, "ConstantOfShape", ["wanted"], ["x"])


@attack("nothing before it makes")
def nodes_out_of_order(proto):
    constant(proto, "million", [10**6])
    node(proto, "ConstantOfShape", ["wanted"], ["x"])
    node(proto, "Mul", ["million", "million"], ["wanted"])


@attack("Expand would make")
def expansion(proto):
    constant(proto, "wanted", [10**5, 10**5])
    node(proto, "Expand", ["typicality", "wanted"], ["x"])


@attack("Expand would make")
def expansion_across(proto):
    constant(proto, "column", np.zeros((50_000, 1)))
    constant(proto, "wanted", [1, 50_000])
    node(proto, "Expand", ["column", "wanted"], ["x"])


@attack("Tile would make")
def tiles(proto):
    constant(proto, "often", [1, 10**9])
    node(proto, "Tile", ["embedding", "often"], ["x"])


@attack("Range would make")
def endless_range(proto):
    for name, value in (("start", 0), ("limit", 1), ("step", 0)):
        constant(proto, name, value)
    node(proto, "Range", ["start", "limit", "step"], ["x"])


@attack("Pad would make")
def padding(proto):
    constant(proto, "pads", [0, 0, 10**5, 10**5])
    node(proto, "Pad", ["embedding", "pads"], ["x"])


@attack("Resize would make")
def magnification(proto):
    constant(proto, "scales", np.array([1, 1, 1e5, 1e5], np.float32))
    node(proto, "Resize", ["shares", "", "scales"], ["x"])


@attack("OneHot would make")
def one_hot(proto):
    constant(proto, "depth", 10**10)
    constant(proto, "values", [0, 1])
    node(proto, "OneHot", ["columns", "depth", "values"], ["x"])


@attack("Add would make")
def outer_sum(proto):
    constant(proto, "column", np.zeros((30_000, 1)))
    constant(proto, "row", np.zeros((1, 30_000)))
    node(proto, "Add", ["column", "row"], ["x"])


@attack("Concat would make")
def doubling(proto):
    constant(proto, "x0", [1.0])
    for step in range(60):
        node(proto, "Concat", [f"x{step}"] * 2, [f"x{step + 1}"], axis=0)


@attack("Conv is fed by constants alone")
def convolution_of_constants(proto):
    node(proto, "Conv", ["weights", "weights"], ["x"])


@attack("attribute 'pads' is larger")
def padded_convolution(proto):
    node(proto, "AveragePool", ["shares"], ["x"], kernel_shape=[1, 1], pads=[10**6] * 4)


@attack("more than 4 deep")
def branches_in_branches(proto):
    graph = branch("inner")
    constant(proto, "yes", True)
    for _ in range(5):
        inner = [helper.make_node("If", ["yes"], ["inner"], then_branch=graph, else_branch=branch("inner"))]
        graph = branch("inner", inner)
    node(proto, "If", ["yes"], ["x"], then_branch=graph, else_branch=branch("inner"))


@attack("nested too deeply")
def messages_in_messages(proto):
    graph = b""
    for _ in range(3000):
        graph = field(1, 2, field(5, 2, field(6, 2, graph)))
    return graph_with(proto, graph)


@attack("not finite")
def weight_nan(proto):
    weights_of(proto).raw_data = np.full(9, np.nan, np.float32).tobytes()


@attack("not finite")
def weight_infinite(proto):
    weights_of(proto).raw_data = np.array([1, 2, 3, 4, np.inf, 6, 7, 8, 9], np.float32).tobytes()


@attack("not finite")
def weight_nan_in_numbers(proto):
    weights_of(proto).ClearField("raw_data")
    weights_of(proto).float_data.extend([float("nan")] * 9)


@attack("not finite")
def weight_nan_in_half_precision(proto):
    constant(proto, "half", np.array([1, np.nan], np.float16))


@attack("not finite")
def scalar_nan(proto):
    constant(proto, "nan", np.float32("nan"))


@attack("not finite")
def fill_nan(proto):
    constant(proto, "wanted", [2])
    node(proto, "ConstantOfShape", ["wanted"], ["x"], value=numpy_helper.from_array(np.full(1, np.nan)))


@attack("not finite")
def fill_nan_in_a_list_of_tensors(proto):
    tensors = [numpy_helper.from_array(np.full(1, number)) for number in (0.0, np.nan)]
    node(proto, "Relu", ["shares"], ["x"], unknown=tensors)


@attack("is not a number")
def weights_nan_as_an_attribute(proto):
    node(proto, "Constant", [], ["x"], value_floats=[1.0, float("nan")])


@attack("is not a number")
def attribute_nan(proto):
    node(proto, "LeakyRelu", ["shares"], ["x"], alpha=float("nan"))


@attack("holds 9 values, its shape .4, 3. says otherwise")
def shape_too_large(proto):
    weights_of(proto).dims[0] = 4


@attack("says otherwise")
def shape_that_overflows(proto):
    weights_of(proto).dims[:] = [2**32, 2**32]


@attack("negative side")
def shape_negative(proto):
    weights_of(proto).dims[:] = [-3, -3]


@attack("ends within a value")
def data_cut(proto):
    weights_of(proto).raw_data = weights_of(proto).raw_data[:-1]


@attack("more than one place")
def data_in_two_places(proto):
    weights_of(proto).float_data.extend([0.0] * 9)


@attack("the wrong one")
def data_in_the_wrong_place(proto):
    weights_of(proto).ClearField("raw_data")
    weights_of(proto).int64_data.extend([0] * 9)


@attack("its type does not")
def data_too_large(proto):
    proto.graph.initializer.append(TensorProto(name="x", data_type=2, dims=[1], int32_data=[300]))


@attack("element type 77")
def unknown_element_type(proto):
    weights_of(proto).data_type = 77


@attack("tensors of strings")
def strings(proto):
    constant(proto, "text", np.array(["a"], dtype=object))


@attack("graph stands twice")
def two_graphs_that_others_merge(proto):
    return with_card(proto, card()) + field(
        7, 2, field(1, 2, field(1, 2, b"image") + field(2, 2, b"x") + field(4, 2, b"Identity"))
    )


@attack("field 99 of model")
def unknown_field(proto):
    return with_card(proto, card()) + field(99, 2, b"x")


@attack("op_type has wire type 0")
def field_of_another_kind(proto):
    return graph_with(proto, field(1, 2, field(4, 0, b"\1")))


@attack("graph has wire type 3")
def groups(proto):
    return with_card(proto, card()) + varint(7 << 3 | 3)


@attack("longer than what holds it")
def length_beyond_the_end(proto):
    return with_card(proto, card()) + varint(6 << 3 | 2) + varint(2**40)


@attack("more than 64 bits")
def endless_number(proto):
    return with_card(proto, card()) + b"\x08" + b"\xff" * 11


@attack("inputs must be image; got image, second")
def second_input(proto):
    proto.graph.input.append(helper.make_tensor_value_info("second", TensorProto.FLOAT, [1]))


@attack("outputs must be probabilities, typicality, embedding")
def missing_output(proto):
    del proto.graph.output[2]


@attack("image must be uint8 with 4 dimensions")
def input_of_floats(proto):
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT


@attack("channels of image must be 3; the graph says 4")
def four_channels(proto):
    proto.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 4


@attack("probabilities must be float32 with 2 dimensions")
def output_of_another_rank(proto):
    next(o for o in proto.graph.output if o.name == "probabilities").type.tensor_type.shape.dim.add()


@attack("columns of probabilities.*must be 3; the graph says 7")
def more_columns_than_classes(proto):
    output = next(o for o in proto.graph.output if o.name == "probabilities")
    output.type.tensor_type.shape.dim[1].dim_value = 7


@attack("not a tensor")
def sequence_output(proto):
    proto.graph.output[0].CopyFrom(helper.make_value_info("probabilities", onnx.TypeProto()))


@attack("two values have the name 'image'")
def weight_in_place_of_the_input(proto):
    constant(proto, "image", np.zeros((1, 1, 1, 3), np.uint8))


@attack("two values have the name 'weights'")
def two_weights_of_one_name(proto):
    constant(proto, "weights", np.zeros(3))


@attack("own format")
def onnx_runtime_format_in_disguise(proto):
    # Valid protobuf (a doc string) that ONNX Runtime would read as its own format by the fifth byte.
    return field(6, 2, b"..ORTM......") + with_card(proto, card())


def changed(name):
    function, words = ATTACKS[name]
    proto = tiny_proto()
    result = function(proto)
    return (proto if result is None else result), words


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_before_a_session(name, tmp_path, monkeypatch):
    monkeypatch.setattr(onnxruntime, "InferenceSession", None)
    content, words = changed(name)
    with pytest.raises(ModelFileError, match=words):
        load(tmp_path, content)


def test_the_model_without_an_attack_passes(tmp_path):
    assert load(tmp_path, tiny_proto()).card == card()


NAIVE = ["external_data_beside", "weight_nan", "unknown_field", "dice", "two_graphs_that_others_merge"]


@pytest.mark.parametrize("name", NAIVE)
def test_onnx_runtime_alone_lets_attacks_through(name, tmp_path, monkeypatch):
    """The control: what these tests refuse is not refused anyway."""
    monkeypatch.chdir(tmp_path)
    np.ones(9, np.float32).tofile("weights.bin")
    content, _ = changed(name)
    content = content.SerializeToString() if isinstance(content, onnx.ModelProto) else content
    assert onnxruntime.InferenceSession(content)


@pytest.mark.parametrize("seed", range(8))
def test_a_sealed_file_of_changed_bytes_is_refused_in_words_or_loads(seed, tmp_path):
    """Whatever stands in a file, the only exception is ModelFileError (row 40)."""
    random = np.random.default_rng(seed)
    whole = with_card(tiny_proto(), card())
    # The card is long; most changes shall hit the graph.
    for _ in range(120):
        content = bytearray(whole)
        for place in random.integers(0, len(content), random.integers(1, 6)):
            content[place] = random.integers(256)
        cut = random.integers(0, len(content))
        pieces = bytes(content) if random.random() < 0.6 else bytes(content[:cut] + content[cut + 1 :])
        try:
            load(tmp_path, pieces)
        except ModelFileError as error:
            assert len(str(error)) < 400


def test_a_bomb_costs_neither_time_nor_memory(tmp_path):
    """All bombs, in a process that may use no more than it does for the plain model, and a bit."""
    pytest.importorskip("resource")
    for name in ("terabytes_of_zeros", "doubling", "messages_in_messages", "endless_range", "outer_sum"):
        content, _ = changed(name)
        content = with_card(content, card()) if isinstance(content, onnx.ModelProto) else content
        (tmp_path / f"{name}.onnx").write_bytes(seal(content))
    code = """
import pathlib, resource, sys
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.errors import ModelFileError
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in pathlib.Path(sys.argv[1]).glob("*.onnx"):
    try:
        load_model_file(path)
    except ModelFileError:
        print("refused")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) < 50_000)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["refused"] * 5 + ["True"]
