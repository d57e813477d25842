"""CRC-32C by pieces is that of one bit at a time."""

import pytest

from fieldguide.data.forms.shards.crc32c import crc32c, masked
from form_samples_published import slow_checksum


@pytest.mark.parametrize("length", [0, 1, 9, 255, 256, 257, 512, 5000])
def test_lengths_around_a_piece(length):
    content = bytes(7 * number % 251 for number in range(length))
    assert masked(content).to_bytes(4, "little") == slow_checksum(content)


def test_published_values():
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
