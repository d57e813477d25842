"""What the graph of a model file may hold."""

import pytest
from onnx import helper

from fieldguide.modelfile import checks
from fieldguide.modelfile.checks import MAX_EXTENT, MAX_GRAPH_DEPTH, check_model
from fieldguide.modelfile.wire_format import Unacceptable, read_model
from tiny_model import tiny_proto


def checked(proto, classes=3):
    check_model(read_model(proto.SerializeToString()), classes)


def test_the_tiny_model_passes_with_as_many_classes_as_it_has_columns():
    checked(tiny_proto())
    with pytest.raises(Unacceptable, match=r"columns of probabilities, .*must be 4; the graph says 3"):
        checked(tiny_proto(), 4)


def test_a_width_that_the_file_does_not_state_is_left_to_running():
    proto = tiny_proto()
    output = next(one for one in proto.graph.output if one.name == "probabilities")
    output.type.tensor_type.shape.dim[1].Clear()
    checked(proto, 4)


def test_outputs_are_those_of_the_contract():
    proto = tiny_proto()
    proto.graph.output.pop()
    with pytest.raises(Unacceptable, match="outputs must be probabilities, typicality, embedding; got"):
        checked(proto)


def test_outputs_of_other_names_are_named_up_to_eight_and_cut_to_forty_letters():
    proto = tiny_proto()
    proto.graph.output[0].name = "x" * 50
    with pytest.raises(Unacceptable, match=rf"got embedding, typicality, {'x' * 40}$"):
        checked(proto)
    for number in range(9):
        proto.graph.output.add().CopyFrom(proto.graph.output[0])
        proto.graph.output[-1].name = f"a{number}"
    with pytest.raises(Unacceptable, match=r"got a0, a1, a2, a3, a4, a5, a6, a7$"):
        checked(proto)


def test_one_more_output_or_the_same_one_twice_is_refused():
    for name in ("probabilities", "logits"):
        proto = tiny_proto()
        proto.graph.output.add().CopyFrom(proto.graph.output[0])
        proto.graph.output[-1].name = name
        with pytest.raises(Unacceptable, match="outputs must be probabilities, typicality, embedding; got"):
            checked(proto)


def test_the_input_is_bytes_of_four_dimensions():
    proto = tiny_proto()
    proto.graph.input[0].type.tensor_type.elem_type = 1
    with pytest.raises(Unacceptable, match="image must be uint8 with 4 dimensions"):
        checked(proto)
    proto = tiny_proto()
    proto.graph.input[0].type.tensor_type.shape.dim.pop()
    with pytest.raises(Unacceptable, match="image must be uint8 with 4 dimensions"):
        checked(proto)


def test_an_image_has_three_channels_and_any_height():
    proto = tiny_proto()
    dims = proto.graph.input[0].type.tensor_type.shape.dim
    dims[2].dim_value = 7
    dims[3].dim_value = 4
    with pytest.raises(Unacceptable, match="the number of channels of image must be 3; the graph says 4"):
        checked(proto)


@pytest.mark.parametrize(("extent", "passes"), [(MAX_EXTENT, True), (MAX_EXTENT + 1, False)])
def test_kernels_are_bounded(extent, passes):
    proto = tiny_proto()
    proto.graph.node.append(helper.make_node("MaxPool", ["planes"], ["pool"], kernel_shape=[extent, 1]))
    if passes:
        checked(proto)
    else:
        with pytest.raises(Unacceptable, match="the attribute 'kernel_shape' is larger than 4,096"):
            checked(proto)


def test_a_graph_without_a_graph_and_graphs_without_end_are_refused():
    proto = tiny_proto()
    proto.ClearField("graph")
    with pytest.raises(Unacceptable, match="it holds no graph"):
        checked(proto)
    proto, inner = tiny_proto(), [helper.make_node("Neg", ["typicality"], ["n0"])]
    for depth in range(MAX_GRAPH_DEPTH):
        graph = helper.make_graph(inner, "g", [], [])
        inner = [helper.make_node("If", ["typicality"], [f"i{depth}"], then_branch=graph)]
    shallow = tiny_proto()
    shallow.graph.node.extend(inner[0].attribute[0].g.node)  # one graph less
    checked(shallow)
    proto.graph.node.extend(inner)
    with pytest.raises(Unacceptable, match=f"nested more than {MAX_GRAPH_DEPTH} deep"):
        checked(proto)


def test_nodes_are_counted_also_inside_of_graphs(monkeypatch):
    proto = tiny_proto()
    inner = helper.make_graph([helper.make_node("Neg", ["typicality"], ["n0"])], "g", [], [])
    proto.graph.node.append(helper.make_node("If", ["typicality"], ["i0"], then_branch=inner))
    monkeypatch.setattr(checks, "MAX_NODES", len(proto.graph.node) + 1)
    checked(proto)
    monkeypatch.setattr(checks, "MAX_NODES", len(proto.graph.node))
    with pytest.raises(Unacceptable, match="it has more than"):
        checked(proto)
