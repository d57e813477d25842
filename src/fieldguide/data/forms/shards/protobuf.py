"""Protocol buffers on the wire, as far as ``tf.train.Example`` needs them; every length is checked.

https://protobuf.dev/programming-guides/encoding/ ; Example{1: Features{1: map entry{1: key, 2: Feature}}},
Feature{1: BytesList{1: bytes}, 3: Int64List{1: varint}}.
"""

from collections.abc import Iterator

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_MOST_VARINT_BYTES = 10


class WireError(ValueError):
    """Bytes that are no message."""


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(_MOST_VARINT_BYTES):
        if at >= len(content):
            raise WireError("a number is cut off")
        octet = content[at]
        at += 1
        value |= (octet & 0x7F) << 7 * shift
        if octet < 0x80:
            return value, at
    raise WireError("a number is longer than ten bytes")


def fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    r"""The fields of a message: number and value, bytes where the value has a length.

    Raises
    ------
    WireError
        If the bytes are no message.

    Examples
    --------
    >>> list(fields(b"\x08\x96\x01\x12\x02hi"))
    [(1, 150), (2, b'hi')]
    """
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        kind = key & 7
        if kind == _VARINT:
            number, at = _varint(content, at)
            yield key >> 3, number
            continue
        if kind not in (_FIXED64, _LENGTH, _FIXED32):
            raise WireError(f"a field is of the unknown kind {kind}")
        size = 8 if kind == _FIXED64 else 4
        if kind == _LENGTH:
            size, at = _varint(content, at)
        if size > len(content) - at:
            raise WireError("a field is longer than its message")
        yield key >> 3, content[at : at + size]
        at += size


def _inside(content: bytes, wanted: int) -> Iterator[bytes]:
    return (value for number, value in fields(content) if number == wanted and isinstance(value, bytes))


def _feature(content: bytes) -> bytes | int | None:
    """The first value of a feature: bytes or a whole number; floats are none."""
    for number, inner in fields(content):
        if not isinstance(inner, bytes) or number not in (1, 3):
            continue
        for at, value in fields(inner):
            if at != 1:
                continue
            if number == 1 or isinstance(value, int):
                return value
            packed, _ = _varint(value, 0) if value else (None, 0)
            return packed
    return None


def example(content: bytes) -> dict[str, bytes | int]:
    """The first value of each feature of a ``tf.train.Example``.

    Raises
    ------
    WireError
        If the bytes are no such message.
    """
    found: dict[str, bytes | int] = {}
    for features in _inside(content, 1):
        for entry in _inside(features, 1):
            key = next(_inside(entry, 1), b"")
            value = next((_feature(value) for value in _inside(entry, 2)), None)
            if value is not None:
                found[key.decode("utf-8", errors="replace")] = value
    return found
