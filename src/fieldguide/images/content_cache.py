"""Features kept by image content, so that the same photo never passes the same network twice.

One folder for each way of computing features (see :func:`fieldguide.backbones.extraction.extract`), in it a
few safetensors files of some thousand images each. A file is written whole or not at all and never changed,
so processes may share the folder; every row carries a checksum, over what the file's header says of it too,
and one that does not hold is computed again.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fieldguide.errors import OutputError
from fieldguide.files import atomic_write
from fieldguide.storage.checksummed_files import discard, rows_checksum, say_damaged

FLUSH_IMAGES = 2_000
FLUSH_SECONDS = 60.0
SMALL_ROWS, SMALL_SHARDS = 500, 16
LIMIT_BYTES = 4_000_000_000
LAYOUT = 2
"""Part of each key, raised whenever files of before cannot be read; they go when room is needed."""
OPEN_SHARDS = 8
"""Files open at once: each counts as memory as far as it was read, though the system may have it back."""


@dataclass(frozen=True)
class Entry:
    """What is kept of one image."""

    digest: bytes
    """SHA-256 of the file's content, 32 bytes."""
    signature: NDArray[np.uint8]
    """For finding near-duplicates."""
    vector: NDArray[np.float32]
    """The features."""

    def checksum(self) -> int:
        """Over all three, and over what a header says of them."""
        return rows_checksum(np.frombuffer(self.digest, np.uint8), self.signature, self.vector)


class _Shard:
    """One file of entries, read row by row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        file = _open_file(path)
        self.digests: NDArray[np.uint8] = file.get_tensor("digests")
        count, self.width = file.get_slice("vectors").get_shape()
        if self.digests.shape != (count, 32):
            raise ValueError("of another form")

    def entry(self, row: int) -> Entry | None:
        """Read one row; None if it is damaged."""
        try:
            digest, checksum = self._value("digests", row).tobytes(), int(self._value("checksums", row))
            entry = Entry(digest, self._value("signatures", row), self._value("vectors", row))
        except (
            SafetensorError,
            ValueError,
            TypeError,
        ):  # its header has another form than it was written with
            return None
        return entry if entry.checksum() == checksum else None

    def entries(self) -> list[Entry]:
        """All rows that are not damaged."""
        return [entry for row in range(len(self.digests)) if (entry := self.entry(row)) is not None]

    def _value(self, name: str, row: int) -> NDArray[Any]:
        value: NDArray[Any] = _opened(self.path).get_slice(name)[row : row + 1][0]
        return value


def _open_file(path: Path) -> Any:
    return cast(Any, safe_open(path, framework="numpy"))


_WHAT = "images that were"
_opened = lru_cache(maxsize=OPEN_SHARDS)(_open_file)


class FeatureCache:
    """A folder of shards; a context manager that writes what is still held when left, however it is left.

    Parameters
    ----------
    root
        The folder for all features; None keeps nothing. One that cannot be written only costs time.
    key
        Names the way of computing: entries of different keys never mix.
    width
        Length of a vector.
    limit
        Bytes that all files under `root` may take once a run has ended; the least recently used go first.
    clock
        Seconds that only grow.
    """

    def __init__(
        self,
        root: Path | None,
        key: str,
        width: int,
        *,
        limit: int = LIMIT_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root, self._width, self._limit, self._clock = root, width, limit, clock
        self._folder = None if root is None else root / key
        self._rows: dict[bytes, tuple[_Shard, int]] = {}
        self._damaged: set[_Shard] = set()
        self._new: list[Entry] = []
        self._flushed = clock()
        _opened.cache_clear()  # whatever lies there by now
        for path in self._shards():
            self._open(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        self.flush()
        _opened.cache_clear()
        self._merge()
        _opened.cache_clear()
        if kind is None:  # what is stopped is to go on from all that it did, however much that is
            self._prune()

    def digests(self) -> NDArray[np.uint8]:
        """Digests of the images that something is kept of, of shape (n_kept, 32); one may prove damaged."""
        return np.frombuffer(b"".join(self._rows), np.uint8).reshape(-1, 32)

    def get(self, digest: bytes) -> Entry | None:
        """Return what is kept of the image with this content, or None; safe to call from several threads."""
        place = self._rows.get(digest)
        if place is None:
            return None
        shard, row = place
        try:
            entry = shard.entry(row)
        except OSError:  # another process removed or replaced it
            return None
        if entry is None or entry.digest != digest:
            self._damaged.add(shard)
            return None
        return entry

    def add(self, entry: Entry) -> None:
        """Keep one image; written with others after 2,000 of them or a minute."""
        if self._folder is None:
            return
        self._new.append(entry)
        if len(self._new) >= FLUSH_IMAGES or self._clock() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was added since the last time."""
        entries, self._new, self._flushed = self._new, [], self._clock()
        if entries and self._folder is not None:
            # A full disk must not end the work: the cache only saves time.
            with contextlib.suppress(OutputError, OSError):
                self._folder.mkdir(parents=True, exist_ok=True)
                _write(self._folder, entries)

    def _shards(self) -> list[Path]:
        return [] if self._folder is None else sorted(self._folder.glob("*.safetensors"))

    def _open(self, path: Path) -> None:
        try:
            shard = _Shard(path)
            if shard.width != self._width:
                raise ValueError("of another width")
        except (SafetensorError, ValueError, TypeError):
            discard(path, _WHAT)
        except OSError:  # removed by another process, or not ours to read
            return
        else:
            with contextlib.suppress(OSError):  # only used to tell which shards were used last
                os.utime(path)
            self._rows.update((digest.tobytes(), (shard, row)) for row, digest in enumerate(shard.digests))

    def _merge(self) -> None:
        """Put small shards together once many short runs have left a handful, and mend damaged ones."""
        if self._folder is None:
            return
        with contextlib.suppress(SafetensorError, OutputError, OSError, ValueError):
            small = [path for path in self._shards() if path.stat().st_size < SMALL_ROWS * self._width * 4]
            old = {shard.path for shard in self._damaged} | set(small if len(small) >= SMALL_SHARDS else ())
            if not old:
                return
            for shard in self._damaged:
                say_damaged(shard.path, _WHAT)
            entries = {entry.digest: entry for path in sorted(old) for entry in _Shard(path).entries()}
            kept = _write(self._folder, list(entries.values())) if entries else None
            for path in old - {kept}:
                path.unlink(missing_ok=True)

    def _prune(self) -> None:
        if self._root is None:
            return
        with contextlib.suppress(OSError):
            facts = [(path.stat(), path) for path in self._root.glob("*/*.safetensors")]
            total = sum(stat.st_size for stat, _ in facts)
            for stat, path in sorted(facts, key=lambda fact: fact[0].st_mtime):
                if total <= self._limit:
                    return
                path.unlink(missing_ok=True)
                total -= stat.st_size


def _write(folder: Path, entries: list[Entry]) -> Path:
    """Write one shard, named by the images in it, so that processes that did the same work agree."""
    digests = b"".join(entry.digest for entry in entries)
    path = folder / f"{hashlib.sha256(digests).hexdigest()[:32]}.safetensors"
    content = save(
        {
            "digests": np.frombuffer(digests, np.uint8).reshape(-1, 32),
            "checksums": np.array([entry.checksum() for entry in entries], np.uint32),
            "signatures": np.stack([entry.signature for entry in entries]),
            "vectors": np.stack([entry.vector for entry in entries]),
        }
    )
    with atomic_write(path) as file:
        file.write(content)
    return path
