"""torch's weights files, sound and spoilt."""

import pickle
import struct

import pytest

from fieldguide.backbones.plain.torch_file import read_torch
from fieldguide.errors import BackboneError


def old_file(body, keys=("k",), storages=((6, b"\0" * 24),)):
    """A file in the older layout with a pickle of one's own."""
    parts = [pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2)]
    parts += [pickle.dumps({"little_endian": True}, 2), body, pickle.dumps(list(keys), 2)]
    parts += [struct.pack("<q", elements) + content for elements, content in storages]
    return b"".join(parts)


def tensor(
    storage=b"X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpuK\x06N",
    view=b"K\0K\x06\x85K\x01\x85",
):
    """A state dict of one tensor, byte by byte."""
    rebuilt = b"ctorch._utils\n_rebuild_tensor_v2\n((" + storage + b"tQ" + view + b"\x89}tR"
    return b"\x80\x02}X\x01\0\0\0w" + rebuilt + b"s."


def refused(tmp_path, content, match):
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    with pytest.raises(BackboneError, match=match) as caught:
        read_torch(path)
    assert str(path) in str(caught.value)
