"""Unpack a ZIP or TAR of images into a temporary folder, trusting nothing that it says of itself.

Members are written one by one, under names checked here, with limits counted on the bytes that really come
out. An archive with a single hostile member is refused as a whole, and nothing of it stays behind. Only
images, tables and the numbered shards of a WebDataset are written; other archives within the archive are
passed over like any other file.
"""

import bz2
import contextlib
import gzip
import lzma
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from fieldguide.data.scan import is_hidden, may_be_dicom, may_hold_labels, suffix_of
from fieldguide.errors import DataError
from fieldguide.files import scratch_folder
from fieldguide.images.decoding import IMAGE_SUFFIXES
from fieldguide.images.formats import is_dicom
from fieldguide.progress import Progress, silent

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
"""Endings by which a file is taken for an archive, lower case; its content decides which one it is."""

SHARD = re.compile(r"(?P<stem>.*?)[-_.]?\d+\.tar", re.IGNORECASE)
"""Names of shards of a WebDataset."""

_CHUNK = 1 << 20
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True)
class Limits:
    """What an archive may become; photos hardly compress, so honest ones stay far below."""

    entries: int = 500_000
    """Members of any kind."""
    depth: int = 64
    """Folders that a member may lie in, one in the other."""
    total_bytes: int = 100 * 2**30
    """Bytes written or read out of the archive."""
    ratio: int = 100
    """Bytes out for each byte of the archive, beyond a free allowance."""
    allowance: int = 16 * 2**20
    """Bytes that the ratio does not count."""

    def bytes_for(self, archive_bytes: int) -> int:
        """The most bytes that an archive of this size may give."""
        return min(self.total_bytes, self.allowance + self.ratio * archive_bytes)


@dataclass
class Unpacked:
    """Where an archive lies unpacked, and what of it was not written."""

    folder: Path
    others: Counter[str] = field(default_factory=Counter)
    """Members that are neither image nor table: suffix in lower case → how many."""
    hidden: int = 0
    """Members passed over by name, as in folders."""


def is_archive(path: Path) -> bool:
    """Whether a file name ends as archives do."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES)


@contextlib.contextmanager
def unpacked(path: Path, *, limits: Limits | None = None, progress: Progress = silent) -> Iterator[Unpacked]:
    """Unpack an archive into a temporary folder, which is removed at the end of the ``with`` block.

    Raises
    ------
    DataError
        If the archive is damaged, encrypted or hostile: a name that leaves the folder, a link, a device, two
        members of one name, or more members, bytes or folders than `limits` allow.
    """
    with scratch_folder() as folder:
        target = _Target(path, Unpacked(folder), limits or Limits(), progress)
        _unpack(path, target)
        yield target.result


def unpack_into(
    path: Path, result: Unpacked, *, limits: Limits | None = None, progress: Progress = silent
) -> Unpacked:
    """Unpack an archive into a folder that is empty and somebody else's to remove.

    Raises
    ------
    DataError
        As :func:`unpacked`.
    """
    _unpack(path, _Target(path, result, limits or Limits(), progress))
    return result


def _unpack(path: Path, target: "_Target") -> None:
    try:
        with path.open("rb") as file:
            if zipfile.is_zipfile(file):
                _unpack_zip(file, target)
            else:
                _unpack_tar(file, target)
    except _BROKEN as error:
        raise DataError(f"{path}: the archive is damaged or encrypted ({error}); make it again") from error
    except OSError as error:
        raise DataError(f"{path}: the archive cannot be unpacked: {error.strerror or error}") from error


class _Target:
    """A folder that fills up, with the accounts that keep it within limits."""

    def __init__(self, archive: Path, result: Unpacked, limits: Limits, progress: Progress) -> None:
        self.archive, self.result, self.limits, self.progress = archive, result, limits, progress
        self.most_bytes = limits.bytes_for(archive.stat().st_size)
        self.bytes = self.entries = 0
        self.folders: set[str] = {""}

    def refuse(self, reason: str) -> DataError:
        return DataError(
            f"{self.archive}: the archive is refused, {reason}; unpack it by hand if you trust it"
        )

    def count_entry(self) -> None:
        self.entries += 1
        if self.entries > self.limits.entries:
            raise self.refuse(f"it holds more than {self.limits.entries:,} members")
        if self.entries % 1000 == 0:
            self.progress("unpack", self.entries, None)

    def count_bytes(self, count: int) -> None:
        self.bytes += count
        if self.bytes > self.most_bytes:
            raise self.refuse(
                f"it unpacks to more than {self.most_bytes:,} bytes, {self.limits.ratio} times its own "
                "size and more"
            )

    def wants(self, parts: list[str]) -> bool:
        """Whether a member is worth writing; counts it if not."""
        if any(is_hidden(part) for part in parts):
            self.result.hidden += 1
            return False
        suffix = suffix_of(parts[-1])
        if suffix in IMAGE_SUFFIXES or may_hold_labels(parts[-1]) or may_be_dicom(parts[-1]):
            return True
        if SHARD.fullmatch(parts[-1]):
            return True
        self.result.others[suffix] += 1
        return False

    def make_folder(self, parts: list[str]) -> str:
        """Create a folder and its parents; a folder that is there under another spelling is refused."""
        for depth in range(1, len(parts) + 1):
            name = "/".join(parts[:depth])
            if name not in self.folders:
                try:
                    (self.result.folder / name).mkdir()
                except FileExistsError as error:
                    raise self.refuse(f"{name!r} occurs twice in it, or as both file and folder") from error
                self.folders.add(name)
        return "/".join(parts)

    def write(self, parts: list[str], source: IO[bytes], *, counted: bool) -> None:
        chunk = self._read(source, counted=counted)
        if may_be_dicom(parts[-1]) and not may_hold_labels(parts[-1]) and not is_dicom(chunk):
            self.result.others[suffix_of(parts[-1])] += 1
            return
        folder = self.result.folder / self.make_folder(parts[:-1])
        try:
            file = (folder / parts[-1]).open("xb")
        except FileExistsError as error:
            raise self.refuse(f"{'/'.join(parts)!r} occurs twice in it") from error
        with file:
            while chunk:
                file.write(chunk)
                chunk = self._read(source, counted=counted)

    def _read(self, source: IO[bytes], *, counted: bool) -> bytes:
        chunk = source.read(_CHUNK)
        if counted:
            self.count_bytes(len(chunk))
        return chunk

    def parts(self, name: str) -> list[str]:
        """The components of a member's name, once it is known to stay in the folder."""
        pieces = re.split(r"[/\\]", name)
        if "\0" in name or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or ".." in pieces:
            raise self.refuse(f"the member {name!r} would be written outside its folder")
        parts = [piece for piece in name.split("/") if piece not in ("", ".")]
        if len(parts) > self.limits.depth + 1:
            raise self.refuse(f"a member lies {len(parts) - 1:,} folders deep, more than {self.limits.depth}")
        return parts


def _unpack_zip(file: IO[bytes], target: _Target) -> None:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            target.count_entry()
            parts = target.parts(_zip_name(member))
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise target.refuse(f"the member {member.orig_filename!r} is a link or a device")
            if not parts:
                continue
            if member.is_dir() or kind == stat.S_IFDIR:
                if not any(is_hidden(part) for part in parts):
                    target.make_folder(parts)
            elif target.wants(parts):
                with archive.open(member) as source:
                    target.write(parts, source, counted=True)


def _zip_name(member: zipfile.ZipInfo) -> str:
    """The name as its bytes have it; without the UTF-8 flag zipfile reads them as code page 437."""
    name = member.orig_filename
    if not member.flag_bits & 0x800:
        with contextlib.suppress(UnicodeEncodeError):
            name = os.fsdecode(name.encode("cp437"))
    # Windows programs write backslashes; other systems may have one within a name, but hardly in a ZIP.
    return name.replace("\\", "/")


def _unpack_tar(file: IO[bytes], target: _Target) -> None:
    counter = _CountingReader(_decompressed(file), target)
    # A stream is read once from front to end, so that every byte that comes out of it is counted.
    stream = cast("IO[bytes]", counter)
    with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
        for member in archive:
            target.count_entry()
            parts = target.parts(member.name)
            if not (member.isreg() or member.isdir()) or member.issparse():
                raise target.refuse(f"the member {member.name!r} is a link, a device or a sparse file")
            if member.isdir():
                if not any(is_hidden(part) for part in parts):
                    target.make_folder(parts)
            elif parts and target.wants(parts):
                source = archive.extractfile(member)
                if source is not None:
                    target.write(parts, source, counted=False)
            # tarfile remembers every member; a stream never needs them again.
            archive.members = []  # type: ignore[attr-defined]
    # tarfile takes a TAR that is cut between two members for a whole one.
    if counter.last.strip(b"\0") or not counter.last:
        raise tarfile.ReadError("it does not end as a TAR does")


def _decompressed(file: IO[bytes]) -> IO[bytes]:
    file.seek(0)
    magic = file.read(6)
    file.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if magic.startswith(b"BZh"):
        return cast("IO[bytes]", bz2.BZ2File(file))
    if magic == b"\xfd7zXZ\0":
        return cast("IO[bytes]", lzma.LZMAFile(file))
    return file


class _CountingReader:
    """A stream that counts what is read from it, and keeps the last block of 512 bytes."""

    def __init__(self, file: IO[bytes], target: _Target) -> None:
        self.file, self.target = file, target
        self.last = b""

    def read(self, size: int) -> bytes:
        chunk = self.file.read(size)
        self.target.count_bytes(len(chunk))
        self.last = chunk[-512:] or self.last
        return chunk
