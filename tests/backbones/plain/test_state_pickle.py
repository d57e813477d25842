"""A pickle of tensors, read without running it."""

import pickle

import pytest

from torch_files_made import old_file, refused, tensor


@pytest.mark.parametrize(
    ("body", "match"),
    [
        (b"\x80\x02cos\nsystem\n.", r"os\.system"),
        (b"\x80\x02}X\x01\0\0\0wcos\nsystem\ns.", r"os\.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", r"os\.system"),
        (b"\x80\x02ctorch\nFloatStorage\n)R.", r"a call of torch\.FloatStorage"),
        (b"\x80\x02K\x01)R.", "a call of a value"),
        (b"\x80\x02)\x81.", "the instruction NEWOBJ"),
        (b"\x80\x02(ios\nsystem\n.", "the instruction INST"),
        (b"\x80\x02\x82\x01.", "the instruction EXT1"),
        (b"(S'a'\no.", r"the instruction STRING"),
        (b"\x80\x02N2.", "the instruction DUP"),
        (b"Pname\n.", "the instruction PERSID"),
        (b"\x80\x05\x96\x01\0\0\0\0\0\0\0x.", "the instruction BYTEARRAY8"),
        (b"\x80\x02\x8b\x01\0\0\0\x01.", "the instruction LONG4"),
        (b"\x80\x02\x90.", "not a readable|EMPTY_SET|ADDITEMS"),
        (b"\x80\x02\x8f.", "the instruction EMPTY_SET"),
    ],
)
def test_other_instructions_and_names_are_refused_by_name(tmp_path, body, match):
    refused(tmp_path, old_file(body), match)


@pytest.mark.parametrize(
    "body",
    [
        b"\x80\x02.",  # nothing on the stack
        b"\x80\x02h\x05.",  # a memo that is not there
        b"\x80\x02t.",  # no mark
        b"\x80\x02N\x87.",  # too few for a tuple
        b"\x80\x02]K\x01K\x02s.",  # items of a list
        b"\x80\x02}(K\x01u.",  # a name without a value
        b"\x80\x02}]K\x01s.",  # a list as a name
        b"\x80\x02NNb.",  # attributes of nothing
        b"\x80\x02K\x01Q.",  # a persistent number
        b"\x80\x02)Q.",  # an empty storage
        b"\x80\x02ccollections\nOrderedDict\nN\x85R.",
        b"\x80\x02ccollections\nOrderedDict\n]K\x01a\x85R.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.",
        b"\x80\x02ctorch._utils\n_rebuild_parameter\n)R.",
        b"\x80\x02ctorch._utils\n_rebuild_parameter\nN\x85R.",
        b"\x80\x04\x93.",
        b"\x80\x04NN\x93.",
        b"\x80\x02X\xff\xff\xff\x7fabc.",  # text that is not there
        b"\x80\x02X\x02\0\0\0\xff\xfe.",  # no UTF-8
        b"\xff",
        b"",
        b"\x80\x09.",
    ],
)
def test_damaged_pickles_are_refused(tmp_path, body):
    refused(tmp_path, old_file(body), r"not a readable|objects other than tensors|one mapping")


def test_lists_that_share_their_parts_are_not_written_out(tmp_path):
    """As text, thirty lists of two would be a billion."""
    shared = []
    for _ in range(60):
        shared = [shared, shared]
    for body in (tensor(), pickle.dumps(shared, 2), pickle.dumps({"w": shared}, 2)):
        refused(tmp_path, old_file(body, keys=[shared]), "not a readable|one mapping")


def test_a_pickle_of_endless_instructions_is_refused(tmp_path):
    refused(tmp_path, old_file(b"\x80\x02" + b"N" * 1_000_001 + b"."), "more than 1,000,000 instructions")
