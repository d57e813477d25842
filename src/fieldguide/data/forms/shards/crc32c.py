"""The checksum CRC-32C (Castagnoli), as TFRecord has it: many bytes at once, for it is linear.

A checksum of pieces is that of each piece alone, advanced over the zeros that follow it (the method of zlib's
``crc32_combine``); so NumPy takes the pieces side by side.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78
_PIECE = 256
_MASK = 0xA282EAD8
_Words = NDArray[np.uint32]


@cache
def _table() -> _Words:
    words = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        words = np.where(words & 1, (words >> 1) ^ np.uint32(_POLYNOMIAL), words >> 1).astype(np.uint32)
    return words


def _step(states: _Words, octets: NDArray[np.uint8] | int) -> _Words:
    stepped: _Words = _table()[(states ^ octets) & 0xFF] ^ (states >> np.uint32(8))
    return stepped


@cache
def _advances() -> list[list[int]]:
    """What each byte of a state becomes over a piece of zeros, of shape (4, 256)."""
    states = (
        np.arange(256, dtype=np.uint32)[None, :] << (8 * np.arange(4, dtype=np.uint32))[:, None]
    ).ravel()
    for _ in range(_PIECE):
        states = _step(states, 0)
    tables: list[list[int]] = states.reshape(4, 256).tolist()
    return tables


def crc32c(content: bytes) -> int:
    """The CRC-32C of bytes.

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    table = _table().tolist()
    state, head = 0xFFFFFFFF, len(content) % _PIECE
    for octet in content[:head]:
        state = table[(state ^ octet) & 0xFF] ^ (state >> 8)
    pieces = np.frombuffer(content, np.uint8)[head:].reshape(-1, _PIECE)
    lanes = np.zeros(len(pieces), np.uint32)
    for column in range(_PIECE if len(pieces) else 0):
        lanes = _step(lanes, pieces[:, column])
    first, second, third, fourth = _advances()
    for lane in lanes.tolist():
        state = (
            first[state & 0xFF]
            ^ second[state >> 8 & 0xFF]
            ^ third[state >> 16 & 0xFF]
            ^ fourth[state >> 24]
            ^ lane
        )
    return state ^ 0xFFFFFFFF


def masked(content: bytes) -> int:
    """The checksum as TFRecord stores it: rotated and added to, so that checksums of checksums differ."""
    checksum = crc32c(content)
    return ((checksum >> 15 | checksum << 17) + _MASK) & 0xFFFFFFFF
