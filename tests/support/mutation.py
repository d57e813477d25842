"""Files that went wrong."""

import random


def mutated(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """One of three ways a file goes wrong: cut short, bits flipped, another file's piece inside."""
    kind = chance.randrange(3)
    if kind == 0:
        return data[: chance.randrange(1, len(data))]
    if kind == 1:
        changed = bytearray(data)
        for _ in range(chance.choice((1, 2, 8, 60))):
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        return bytes(changed)
    start, length = chance.randrange(len(data)), chance.randrange(1, 400)
    piece = chance.randrange(len(other))
    return data[:start] + other[piece : piece + length] + data[start + chance.choice((0, length)) :]
